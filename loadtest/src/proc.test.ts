import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cpuSpent,
  parseMachineStat,
  parseMemoryStatus,
  parsePeakMemory,
  parseProcessStat,
  parseSchedstat,
  processTree,
  readCpu,
  readMemory,
  readPeakMemory,
  resetPeakMemory,
} from "./proc.ts";

const stat = (name: string): string => {
  return `4711 (${name}) S 42 4711 4711 0 -1 4194560 500 0 3 0 1234 567 0 0 20 0 11 0 1000 1000000 9000 18446744073709551615`;
};

test("CPU ticks are found behind a program name with spaces and parentheses", () => {
  const expected = { parent: 42, userTicks: 1234, systemTicks: 567 };
  assert.deepEqual(parseProcessStat(stat("nginx")), expected);
  assert.deepEqual(parseProcessStat(stat("a) S 1 (b")), expected);
});

test("a stat line that is cut off is an error, not a zero", () => {
  assert.throws(() => parseProcessStat("4711 (nginx) S 42"), /no number at field 11/);
});

test("schedstat gives nanoseconds run and waited", () => {
  assert.deepEqual(parseSchedstat("661268 135266 5\n"), { ranNs: 661_268, waitedNs: 135_266 });
});

test("memory is read in KiB and told in bytes, and a zombie has none", () => {
  const status = "Name:\tnode\nVmRSS:\t   43008 kB\nRssAnon:\t   13824 kB\nRssFile:\t   29184 kB\n";
  assert.deepEqual(parseMemoryStatus(status), { rss: 43_008 * 1024, rssAnon: 13_824 * 1024 });
  assert.deepEqual(parseMemoryStatus("Name:\tnode\nState:\tZ (zombie)\n"), { rss: 0, rssAnon: 0 });
});

test("busy time of the machine leaves out waiting for disks, idling and what was stolen", () => {
  const text = "cpu  100 20 30 4000 50 6 7 8 9 10\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
  assert.deepEqual(parseMachineStat(text), { busy: 163, stolen: 8, total: 4221 });
});

test("CPU time is taken from the threads' nanoseconds and split as the ticks were", () => {
  const before = { ranNs: 1e9, waitedNs: 0, userTicks: 50, systemTicks: 50 };
  const after = { ranNs: 2.004e9, waitedNs: 5e6, userTicks: 75, systemTicks: 125 };
  const spent = cpuSpent(before, after);
  assert.ok(Math.abs(spent.seconds - 1.004) < 1e-9);
  assert.deepEqual([spent.userShare, spent.waitedSeconds], [0.25, 0.005]);
});

test("when a thread has ended and taken its nanoseconds along, the ticks count", () => {
  const before = { ranNs: 1e9, waitedNs: 0, userTicks: 0, systemTicks: 0 };
  const after = { ranNs: 1.1e9, waitedNs: 0, userTicks: 100, systemTicks: 0 };
  assert.equal(cpuSpent(before, after).seconds, 1);
});

test("the CPU time of this process grows by about what it burns, and it has memory", () => {
  const pids = [process.pid];
  const before = readCpu(pids);
  const usage = process.cpuUsage();
  let burnt = process.cpuUsage(usage);
  while (burnt.user + burnt.system < 60_000) burnt = process.cpuUsage(usage);
  const spent = cpuSpent(before, readCpu(pids)).seconds;
  assert.ok(spent > 0.04, `${spent} s`);
  assert.ok(Math.abs(spent - (burnt.user + burnt.system) / 1e6) < 0.03, `${spent} s, ${burnt.user + burnt.system} us`);
  const { rss, rssAnon } = readMemory(pids);
  assert.ok(rss > rssAnon && rssAnon > 5e6, `${rss} ${rssAnon}`);
});

test("the process tree of this process's parent holds both", () => {
  const tree = processTree(process.ppid);
  assert.equal(tree[0], process.ppid);
  assert.ok(tree.includes(process.pid));
});

test("the peak of a process remembers memory that was given back, until it is reset", () => {
  const bytes = 64 * 2 ** 20;
  const large = new ArrayBuffer(bytes);
  new Uint8Array(large).fill(1);
  large.transfer(0);
  const peak = readPeakMemory([process.pid]);
  assert.ok(peak >= bytes);
  resetPeakMemory([process.pid]);
  assert.ok(readPeakMemory([process.pid]) <= peak - bytes / 2);
});

test("a peak counts in KiB, and a zombie has none", () => {
  assert.equal(parsePeakMemory("VmHWM:\t    1234 kB\n"), 1234 * 1024);
  assert.equal(parsePeakMemory("State: Z (zombie)"), 0);
});
