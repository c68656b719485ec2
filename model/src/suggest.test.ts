import assert from "node:assert/strict";
import { test } from "node:test";
import { suggestName } from "./suggest.ts";

const suggestions: readonly (readonly [wanted: string, candidates: readonly string[], expected: string | undefined])[] =
  [
    ["backendrefs", ["backendRefs", "matches"], "backendRefs"],
    ["backedRefs", ["matches", "backendRefs"], "backendRefs"],
    ["hostnmaes", ["hostnames"], "hostnames"],
    ["shop-v2", ["shop-v1", "cart"], "shop-v1"],
    ["web", ["api", "db"], undefined],
    ["ab", ["ba"], undefined],
    ["web", [], undefined],
    ["", ["a"], undefined],
    ["http", ["https", "htp"], "https"],
  ];

for (const [wanted, candidates, expected] of suggestions) {
  test(`"${wanted}" among [${candidates.join(", ")}] suggests ${expected ?? "nothing"}`, () => {
    assert.equal(suggestName(wanted, candidates), expected);
  });
}

test("a name is never suggested for itself", () => {
  assert.equal(suggestName("web", ["web"]), undefined);
});
