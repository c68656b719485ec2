// The random histories of the gateway's own tests, more of them and from other seeds, which stand in the output.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { runs } from "@sallyport/testkit/runs";

const ROOT = new URL("../..", import.meta.url).pathname;
/** The tests' own are below it. */
const FIRST = 1000;

for (const [file, count] of [
  ["gateway/test/cluster/shared-counts.test.ts", 30],
  ["gateway/test/content/misbehaviour.test.ts", 15],
  ["gateway/test/http2/histories.test.ts", 60],
  ["gateway/test/mirror/mirrors.test.ts", 20],
] as const) {
  const seeds = `${FIRST}-${FIRST + runs(count) - 1}`;
  test(`FUZZ_SEEDS=${seeds} node --test ${file}`, () => {
    const { NODE_TEST_CONTEXT: _, ...rest } = process.env;
    const env = { ...rest, FUZZ_SEEDS: seeds };
    const { status, stdout } = spawnSync(process.execPath, ["--test", file], { cwd: ROOT, env, encoding: "utf8" });
    assert.equal(status, 0, stdout);
  });
}
