import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { describeDisagreement, holdCourt, openCourtroom } from "./jury.ts";
import type { Courtroom } from "./jury.ts";

const SEED = 20_240_601;
let courtroom: Courtroom | undefined;

before(async () => {
  courtroom = await openCourtroom();
});

after(() => courtroom?.close());

test("node:http, h11 and Go net/http see the same requests behind Sallyport", { timeout: 180_000 }, async () => {
  assert.ok(courtroom);
  const result = await holdCourt(courtroom.benches, SEED, 400);
  assert.ok(result.requests > 300, `only ${result.requests} requests were heard: the input does not reach the judges`);
  assert.equal(result.disagreements.map(describeDisagreement).join("\n"), "");
  assert.equal(courtroom.system.epitaph(), undefined);
});
