import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "./eventually.ts";
import { fetchLocal, freePorts, startProcess } from "./process.ts";

test("a child process tells its output and its exit code", async () => {
  const child = startProcess(process.execPath, [
    "-e",
    "console.log('out'); console.error('err'); process.exitCode = 3",
  ]);
  await child.signal.require(() => child.exit() !== undefined, 10_000, "the exit");
  assert.equal(child.exit(), 3);
  assert.match(child.output(), /out[^]*err|err[^]*out/);
});

test("a child process that ignores SIGTERM is ended all the same", async () => {
  const child = startProcess(process.execPath, [
    "-e",
    "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1e6)",
  ]);
  await child.signal.require(() => child.output().includes("up"), 10_000, "the start");
  await child.stop(50);
  assert.equal(child.exit(), "SIGKILL");
});

test("free ports are different ports that nobody answers on", async () => {
  const ports = await freePorts(5);
  assert.equal(new Set(ports).size, 5);
  assert.equal((await fetchLocal(ports[0] ?? 0, "/")).status, 0);
});

test("a child process does not outlive the process that started it", async () => {
  const program = `
    import { startProcess } from ${JSON.stringify(new URL("process.ts", import.meta.url).href)};
    const child = startProcess(process.execPath, ["-e", "console.log('up'); setInterval(() => {}, 1e6)"]);
    await child.signal.until(() => child.output().includes("up"), 10000);
    console.log("pid " + child.pid);
    process.exit(0);`;
  const parent = startProcess(process.execPath, ["--input-type=module", "-e", program]);
  await parent.signal.require(() => parent.exit() !== undefined, 15_000, "the end of the parent");
  const pid = Number(/pid (\d+)/.exec(parent.output())?.[1]);
  assert.ok(pid > 0, parent.output());
  await eventually(() => !isAlive(pid), { what: "the end of the child" });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
