// The random histories of the gateway's own tests, with seeds that are others in each run and stand in its output.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

const ROOT = new URL("../..", import.meta.url).pathname;
const SEEDS = 1_000_000;

for (const [file, count] of [
  ["gateway/test/cluster/shared-counts.test.ts", 30],
  ["gateway/test/content/misbehaviour.test.ts", 15],
] as const) {
  const first = Math.floor(Math.random() * SEEDS);
  const seeds = `${first}-${first + count - 1}`;
  test(`FUZZ_SEEDS=${seeds} node --test ${file}`, () => {
    const { NODE_TEST_CONTEXT: _, ...rest } = process.env;
    const env = { ...rest, FUZZ_SEEDS: seeds };
    const { status, stdout } = spawnSync(process.execPath, ["--test", file], { cwd: ROOT, env, encoding: "utf8" });
    assert.equal(status, 0, stdout);
  });
}
