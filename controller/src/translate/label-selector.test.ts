import assert from "node:assert/strict";
import { test } from "node:test";
import { selectsLabels, type LabelSelector } from "./label-selector.ts";

const labels = { team: "shop", tier: "edge" };

const cases: readonly (readonly [what: string, selector: LabelSelector, selected: boolean])[] = [
  ["an empty selector", {}, true],
  ["matchLabels that hold", { matchLabels: { team: "shop", tier: "edge" } }, true],
  ["matchLabels of which one differs", { matchLabels: { team: "shop", tier: "core" } }, false],
  ["a label that is only on Object.prototype", { matchLabels: { toString: "x" } }, false],
  ["In with the value", { matchExpressions: [{ key: "team", operator: "In", values: ["a", "shop"] }] }, true],
  ["In without the value", { matchExpressions: [{ key: "team", operator: "In", values: ["a"] }] }, false],
  ["In on an absent label", { matchExpressions: [{ key: "zone", operator: "In", values: ["a"] }] }, false],
  ["NotIn on an absent label", { matchExpressions: [{ key: "zone", operator: "NotIn", values: ["a"] }] }, true],
  ["NotIn with the value", { matchExpressions: [{ key: "team", operator: "NotIn", values: ["shop"] }] }, false],
  ["Exists", { matchExpressions: [{ key: "team", operator: "Exists" }] }, true],
  ["Exists on a prototype property", { matchExpressions: [{ key: "constructor", operator: "Exists" }] }, false],
  ["DoesNotExist", { matchExpressions: [{ key: "team", operator: "DoesNotExist" }] }, false],
  ["an unknown operator", { matchExpressions: [{ key: "team", operator: "Gt", values: ["1"] }] }, false],
  [
    "labels that hold beside an expression that does not",
    {
      matchLabels: { team: "shop" },
      matchExpressions: [{ key: "tier", operator: "DoesNotExist" }],
    },
    false,
  ],
];

for (const [what, selector, selected] of cases) {
  test(`${what} ${selected ? "selects" : "does not select"}`, () =>
    assert.equal(selectsLabels(selector, labels), selected));
}
