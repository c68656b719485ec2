/** What it costs to encode short bodies: with coders that are kept, and with one for each body. */
import { bench } from "@sallyport/testkit/bench";
import { Wheel } from "../time/wheel.ts";
import { encodeOnce } from "./coders.ts";
import { ShortBodies } from "./short-bodies.ts";

const bodies = new ShortBodies(new Wheel(1000));

/** Rows as an application's JSON has them. */
function toJson(length: number): Buffer {
  const rows: string[] = [];
  for (let size = 0, state = 7; size < length; size += rows.at(-1)?.length ?? 1) {
    state = (state * 48_271) % 2_147_483_647;
    const row = { id: state % 100_000, name: `item ${(state % 977).toString(36)}`, price: (state % 9999) / 100 };
    rows.push(JSON.stringify(row));
  }
  return Buffer.from(rows.join(",").slice(0, length));
}

for (const length of [1024, 8192, 16_384]) {
  const body = toJson(length);
  const shorter = body.subarray(0, length - 1);
  for (const coding of [
    { name: "gzip", level: 4 },
    { name: "br", level: 3 },
    { name: "zstd", level: 3 },
  ] as const) {
    bench(`${length} bytes by ${coding.name}, a coder for each`, (iterations) => {
      let sum = 0;
      for (let i = 0; i < iterations; i++) sum += encodeOnce(coding, body).length;
      return sum;
    });
  }
  bench(`${length} bytes by gzip, a coder that is kept`, (iterations) => {
    let sum = 0;
    for (let i = 0; i < iterations; i++) sum += bodies.encode({ name: "gzip", level: 4 }, body).length;
    return sum;
  });
  bench(`${length} bytes by gzip, a coder that is kept, behind a longer body each other time`, (iterations) => {
    let sum = 0;
    for (let i = 0; i < iterations; i++) {
      sum += bodies.encode({ name: "gzip", level: 4 }, i % 2 === 0 ? body : shorter).length;
    }
    return sum;
  });
}
