import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
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

const letters = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 9 }).map((parts) => parts.join(""));

test("one slip in a name of three letters or more is forgiven, whatever it is", () => {
  const word = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 3, maxLength: 9 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(word, fc.nat(), fc.constantFrom("insert", "delete", "replace", "swap"), (name, seed, slip) => {
      const at = seed % (name.length - 1);
      const [head, first = "", second = "", tail] = [name.slice(0, at), name[at], name[at + 1], name.slice(at + 2)];
      const middle = { insert: `${first}x${second}`, delete: first, replace: `x${second}`, swap: second + first };
      const wrong = head + middle[slip] + tail;
      if (wrong !== name && wrong.length >= 3) assert.equal(suggestName(wrong, [name]), name);
    }),
  );
});

test("giving up early changes nothing: the suggestion among many is the nearest of those suggested alone", () => {
  fc.assert(
    fc.property(letters, fc.array(letters, { maxLength: 8 }), (wanted, candidates) => {
      const alone = candidates.filter((candidate) => suggestName(wanted, [candidate]) !== undefined);
      const among = suggestName(wanted, candidates);
      assert.equal(among === undefined, alone.length === 0);
      if (among !== undefined) assert.ok(alone.includes(among));
    }),
  );
});
