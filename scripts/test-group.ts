/**
 * Runs a group of test files in one process of its own, and sees to its end: a test that hangs, leaves handles open or
 * leaves processes behind fails the group, and nothing survives it.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestCounts } from "./test-reporter.ts";

/** What to run, and for how long. */
export interface TestGroup {
  readonly files: readonly string[];
  /** Of one test, in milliseconds. */
  readonly testTimeout: number;
  /** Of the whole group, in milliseconds. */
  readonly timeout: number;
  /** Name of one of Node's reporters to print besides ours. */
  readonly reporter: string | undefined;
}

/** What came of a group. */
export interface GroupResult extends TestCounts {
  readonly files: readonly string[];
  /** What the group printed; empty where all passed in silence. */
  readonly output: string;
}

const running = new Set<ChildProcess>();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    for (const child of running) killGroup(child);
    process.exit(1);
  });
}

/** Runs the group to its end; never rejects because of a test. */
export async function runGroup(group: TestGroup): Promise<GroupResult> {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-test-"));
  try {
    const countsFile = join(directory, "counts.json");
    const { output, problem } = await runProcess(group, { ...process.env, SALLYPORT_TEST_COUNTS: countsFile });
    const counts = readCounts(countsFile);
    if (problem === undefined) return { ...counts, files: group.files, output };
    const failed = Math.max(counts.failed, 1);
    return {
      ...counts,
      failed,
      files: group.files,
      output: `${output}\nFAILED  ${group.files.join(" ")}\n        ${problem}\n`,
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Ended {
  readonly output: string;
  /** What went wrong with the process as a whole. */
  readonly problem: string | undefined;
}

async function runProcess(group: TestGroup, env: NodeJS.ProcessEnv): Promise<Ended> {
  // A process group of its own, so that whatever the tests start can be found and ended.
  const child = spawn(process.execPath, [...flags(group), ...group.files], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    env,
  });
  running.add(child);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child);
  }, group.timeout);
  const { code, signal } = await exited(child);
  clearTimeout(timer);
  running.delete(child);
  const orphans = killGroup(child);
  const output = Buffer.concat(chunks).toString();
  if (timedOut) return { output, problem: `did not end within ${group.timeout / 1000} s` };
  if (signal !== null) return { output, problem: `was ended by ${signal}` };
  if (orphans) return { output, problem: "left processes running (ended now)" };
  // Exit code 1 with failures counted is the normal end of a failing run.
  return { output, problem: code === 0 || code === 1 ? undefined : `exited with code ${code}` };
}

function exited(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number | null; signal: NodeJS.Signals | null }>();
  child.on("error", reject);
  child.on("exit", (code, signal) => setImmediate(resolve, { code, signal }));
  return promise;
}

/** True if there was still a process in the group. */
function killGroup(child: ChildProcess): boolean {
  if (child.pid === undefined) return false;
  try {
    return process.kill(-child.pid, "SIGKILL");
  } catch {
    // ESRCH: the group is empty, as it should be.
    return false;
  }
}

function flags(group: TestGroup): string[] {
  return [
    "--test",
    `--import=${join(import.meta.dirname, "test-chance.ts")}`,
    "--test-isolation=none",
    // The reporter looks for open handles when all tests are over; without this their owner would never get there.
    "--test-force-exit",
    `--test-timeout=${group.testTimeout}`,
    `--test-reporter=${join(import.meta.dirname, "test-reporter.ts")}`,
    "--test-reporter-destination=stdout",
    // Another place: where two reporters share one, Node ends when the first of them is done.
    ...(group.reporter === undefined
      ? []
      : [`--test-reporter=${group.reporter}`, "--test-reporter-destination=stderr"]),
  ];
}

/** A process that died before its summary counts as one failure. */
function readCounts(file: string): TestCounts {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by our own reporter a moment ago
    return JSON.parse(readFileSync(file, "utf8")) as TestCounts;
  } catch {
    return { passed: 0, failed: 1, skipped: 0, leaks: [] };
  }
}
