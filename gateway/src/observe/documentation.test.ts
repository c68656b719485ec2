import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { assertGolden } from "@sallyport/testkit/golden";
import { renderEndpointTable } from "../admin/server.ts";
import { renderOperatorTable } from "./access-operators.ts";
import { TIME_SPECIFIERS } from "./access-time.ts";
import { FLAGS } from "./cells.ts";
import { METRIC_FAMILIES, renderMetricTable } from "./families.ts";

/** The page must have this between its marks. */
function assertGenerated(page: string, mark: string, generated: string): void {
  const path = fileURLToPath(new URL(`../../../docs/${page}`, import.meta.url));
  const text = readFileSync(path, "utf8");
  const [begin, end] = [`<!-- begin generated ${mark} -->`, `<!-- end generated ${mark} -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  assert.ok(from >= 0 && to > from, `${page} has the marks of its generated ${mark}`);
  assertGolden(path, text.slice(0, from + begin.length) + generated + text.slice(to));
}

test("docs/metrics.md lists every metric", () => {
  assertGenerated("metrics.md", "table", `\n${renderMetricTable()}\n`);
});

test("docs/access-log.md lists every operator", () => {
  assertGenerated("access-log.md", "table", `\n${renderOperatorTable()}\n`);
  assertGenerated("access-log.md", "specifiers", TIME_SPECIFIERS.map((each) => `\`${each}\``).join(" "));
});

test("docs/admin.md lists every endpoint", () => {
  assertGenerated("admin.md", "table", `\n${renderEndpointTable()}\n`);
});

test("docs/metrics.md explains every response flag", () => {
  const text = readFileSync(new URL("../../../docs/metrics.md", import.meta.url), "utf8");
  const missing = FLAGS.filter((flag) => !text.includes(`\`${flag}\``));
  assert.deepEqual(missing, ["URX"], "URX is for retries, which do not exist yet");
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
