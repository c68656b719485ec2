import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseDuration } from "../duration.ts";
import { translateTimeouts } from "./timeouts.ts";

const durations: readonly (readonly [text: string, milliseconds: number | undefined])[] = [
  ["0s", 0],
  ["1h", 3_600_000],
  ["01h", 3_600_000],
  ["1h30m10s500ms", 5_410_500],
  ["1h2h20m10m", 12_600_000],
  ["99999h", 359_996_400_000],
  ["500ms", 500],
  ["10s30m1h", 5_410_000],
  ["", undefined],
  ["0", undefined],
  ["1d", undefined],
  ["1.5h", undefined],
  ["-15m", undefined],
  ["100us", undefined],
  ["100000h", undefined],
  ["1s1s1s1s1s", undefined],
  [" 1s", undefined],
  ["1 s", undefined],
];

for (const [text, milliseconds] of durations) {
  test(`"${text}" is ${milliseconds === undefined ? "no duration" : `${milliseconds} ms`}`, () => {
    assert.equal(parseDuration(text), milliseconds);
  });
}

test("a duration is the sum of its components", () => {
  const sizes = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  const component = fc.tuple(fc.nat(99_999), fc.constantFrom("h" as const, "m" as const, "s" as const, "ms" as const));
  fc.assert(
    fc.property(fc.array(component, { minLength: 1, maxLength: 4 }), (components) => {
      const text = components.map(([value, unit]) => `${value}${unit}`).join("");
      assert.equal(
        parseDuration(text),
        components.reduce((sum, [value, unit]) => sum + value * sizes[unit], 0),
      );
    }),
  );
});

test("a backend timeout beyond that of the request is refused, unless that one is off", () => {
  const { flaws } = translateTimeouts({ request: "1s", backendRequest: "2s" }, "timeouts");
  assert.deepEqual(
    flaws.map(({ reason, path }) => [reason, path]),
    [["UnsupportedValue", "timeouts.backendRequest"]],
  );
  assert.deepEqual(translateTimeouts({ request: "0s", backendRequest: "2s" }, "timeouts").flaws, []);
  assert.deepEqual(translateTimeouts({ request: "2s", backendRequest: "2s" }, "timeouts").flaws, []);
});

test("a text that is no duration is refused at its path", () => {
  assert.equal(translateTimeouts({ request: "soon" }, "t").flaws[0]?.path, "t.request");
  assert.equal(translateTimeouts({ backendRequest: "soon" }, "t").flaws[0]?.path, "t.backendRequest");
});
