/** Choice of a content coding: the client's weights, then the order of the offer; odd and hostile fields. */
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { processorTime } from "@sallyport/testkit/processor-time";
import { chooseCoding } from "./accept-encoding.ts";

const OFFER = ["br", "zstd", "gzip"] as const;

const TABLE: readonly (readonly [accept: string, chosen: string | undefined])[] = [
  ["", undefined],
  ["gzip", "gzip"],
  ["GZip", "gzip"],
  ["x-gzip", "gzip"],
  ["gzip, deflate, br, zstd", "br"],
  ["gzip;q=1.0, br;q=0.5", "gzip"],
  ["gzip;q=0.5,br;q=0.5", "br"],
  ["deflate, compress", undefined],
  ["*", "br"],
  ["*;q=0", undefined],
  ["br;q=0, *", "zstd"],
  ["gzip, *;q=0", "gzip"],
  ["*;q=0.1, gzip;q=0.2", "gzip"],
  ["identity", undefined],
  ["identity;q=0", undefined],
  ["identity;q=0, gzip;q=0.001", "gzip"],
  ["identity, gzip;q=0.5", undefined],
  ["identity;q=0.5, gzip", "gzip"],
  ["identity, gzip", "gzip"],
  ["gzip;q=0", undefined],
  ["gzip;q=0.000", undefined],
  ["gzip ; q=0.8 , br;q=0.9", "br"],
  ["gzip\t;\tQ=1", "gzip"],
  ["gzip;q=0., br;q=x", undefined],
  ["gzip;q=1.5", undefined],
  ["gzip;q=-1", undefined],
  ["gzip;q=0.1234", undefined],
  ["gzip;level=9", undefined],
  ["gzip;q=1;x=y", undefined],
  ["gzip;q=0, gzip", undefined],
  [",,gzip,,", "gzip"],
  ["gzip br", undefined],
  ["gzip;;q=1", undefined],
  ["__proto__, constructor, gzip", "gzip"],
];

for (const [accept, chosen] of TABLE) {
  test(`"${accept}" gets ${chosen ?? "what is there"}`, () => {
    assert.equal(chooseCoding(accept, OFFER), chosen);
  });
}

test("what is chosen is always offered, acceptable and the best", () => {
  const weight = fc.integer({ min: 0, max: 1000 });
  const elements = fc.uniqueArray(fc.tuple(fc.constantFrom("br", "zstd", "gzip", "identity", "*", "deflate"), weight), {
    selector: ([name]) => name,
  });
  fc.assert(
    fc.property(elements, (all) => {
      const accept = all.map(([name, of]) => `${name};q=${(of / 1000).toFixed(3)}`).join(", ");
      const weights = new Map<string, number>(all);
      const weigh = (name: string): number => weights.get(name) ?? weights.get("*") ?? 0;
      const best = Math.max(...OFFER.map(weigh));
      const chosen = chooseCoding(accept, OFFER);
      if (best === 0 || best < (weights.get("identity") ?? 0)) assert.equal(chosen, undefined);
      else
        assert.equal(
          chosen,
          OFFER.find((name) => weigh(name) === best),
        );
    }),
  );
});

test("a field that nobody would send is not read, and none takes long", () => {
  const odd = ["a,", ";q=", " ", "\t;", "gzip;q=0.", "q=0.0000"].map((part) => part.repeat(65_536 / part.length));
  const long = odd.map((field) => field.slice(0, 4096));
  const took = processorTime(() => {
    for (const field of odd) assert.equal(chooseCoding(`${field}, gzip`, OFFER), undefined);
    for (let i = 0; i < 20; i++) for (const field of long) chooseCoding(field, OFFER);
  });
  assert.ok(took < 1000, `${took} ms`);
});
