import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { FLAGS } from "./cells.ts";
import { METRIC_FAMILIES } from "./families.ts";

test("docs/metrics.md explains every response flag", () => {
  const text = readFileSync(new URL("../../../docs/metrics.md", import.meta.url), "utf8");
  const missing = FLAGS.filter((flag) => !text.includes(`\`${flag}\``));
  assert.deepEqual(missing, []);
});

test("metric names are distinct, ours, and follow Prometheus' rules", () => {
  assert.equal(new Set(METRIC_FAMILIES.map(({ name }) => name)).size, METRIC_FAMILIES.length);
  for (const { name, type, labels, help } of METRIC_FAMILIES) {
    assert.match(name, /^(sallyport|process)_[a-z_]+$/);
    assert.equal(type === "counter", name.endsWith("_total"), name);
    for (const label of labels) assert.match(label, /^[a-z_]+$/);
    assert.doesNotMatch(help, /\.$/);
  }
});
