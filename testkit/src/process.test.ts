import assert from "node:assert/strict";
import { test } from "node:test";
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
