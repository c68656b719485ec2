// Every type of condition that translation ever draws is known as ours where it stands: else it could not be taken away again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isRecord } from "../../src/kube/field-path.ts";
import { mergeStatus } from "../../src/status/merge-status.ts";
import { translateWorld } from "../../src/translate/run.ts";
import { clusterOptions, goldenNames, loadGolden } from "../golden-world.ts";

const MERGE = { controllerName: clusterOptions.controllerName, namespace: "", now: "2026-01-01T00:00:00Z" };

/** The same without a single condition. */
function withoutConditions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutConditions);
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([name, inner]) => [
    name,
    name === "conditions" ? [] : withoutConditions(inner),
  ]);
  return Object.fromEntries(entries);
}

test("whatever condition translation draws goes when it is not wanted any more", async () => {
  let count = 0;
  for (const name of goldenNames) {
    const { world } = await loadGolden(name);
    for (const { object, status } of translateWorld(world, clusterOptions).statuses) {
      const written = mergeStatus(object.kind, {}, status, MERGE) ?? {};
      const rest = { ...written, ...mergeStatus(object.kind, written, withoutConditions(status), MERGE) };
      assert.doesNotMatch(JSON.stringify(rest), /"lastTransitionTime"/, `${name}: ${object.kind} ${object.name}`);
      count += JSON.stringify(written).includes('"lastTransitionTime"') ? 1 : 0;
    }
  }
  assert.ok(count > 100, `${count} statuses with conditions`);
});
