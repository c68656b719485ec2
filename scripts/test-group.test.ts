import assert from "node:assert/strict";
import { test } from "node:test";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { runGroup, type GroupResult, type TestGroup } from "./test-group.ts";

const HEAD = 'import { test } from "node:test";\n';

async function run(body: string, options: Partial<TestGroup> = {}): Promise<GroupResult> {
  using directory = openTemporaryDirectory({ "x.test.ts": HEAD + body });
  const files = [directory.file("x.test.ts")];
  return await runGroup({ files, testTimeout: 100_000, timeout: 100_000, reporter: undefined, ...options });
}

test("a group counts what passes and is skipped, and says nothing of what passes", async () => {
  const result = await run('test("a", () => {}); test("b", { skip: "needs root" }, () => {});');
  assert.deepEqual([result.passed, result.failed, result.skipped], [1, 0, 1]);
  assert.equal(result.output, "  skipped: b (needs root)\n");
});

test("another reporter prints as well, and does not end the run before all is counted", async () => {
  const result = await run(
    'import { createServer } from "node:net"; test("a", () => { createServer().listen(0, "127.0.0.1"); });',
    { reporter: "spec" },
  );
  assert.deepEqual([result.passed, result.failed, result.leaks], [1, 1, ["TCPServerWrap"]]);
  assert.match(result.output, /✔ a/);
});

test("a failing test is named with its place and its reason", async () => {
  const result = await run('test("adds up", () => { throw new Error("not today"); });');
  assert.deepEqual([result.passed, result.failed], [0, 1]);
  assert.match(result.output, /FAILED {2}adds up\n +at .*x\.test\.ts:2:1\n +Error: not today/);
});

test("a file that does not load is a failure", async () => {
  const result = await run('import "./missing.ts";');
  assert.equal(result.failed, 1);
  assert.match(result.output, /ERR_MODULE_NOT_FOUND/);
});

test("a socket left open is a failure that names its kind", async () => {
  const result = await run(
    'import { createServer } from "node:net"; test("a", () => { createServer().listen(0, "127.0.0.1"); });',
  );
  assert.deepEqual([result.passed, result.failed, result.leaks], [1, 1, ["TCPServerWrap"]]);
});

test("a file that hangs is ended and counts as a failure", async () => {
  const result = await run('test("a", () => { for (;;); });', { timeout: 1500 });
  assert.equal(result.failed, 1);
  assert.match(result.output, /did not end within 1\.5 s/);
});

test("a process left running is ended and counts as a failure", async () => {
  const result = await run(
    `import { spawn } from "node:child_process";
    test("a", () => { spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6)"], { stdio: "ignore" }).unref(); });`,
  );
  assert.equal(result.failed, 1);
  assert.match(result.output, /left processes running/);
});

test("a process that ends itself before its summary counts as a failure", async () => {
  const result = await run('test("a", () => { process.exit(0); });');
  assert.equal(result.failed, 1);
});
