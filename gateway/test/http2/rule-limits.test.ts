/** Limits that a rule sets itself, over HTTP/2, with the clock turned by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { HandUpstream } from "../codec/hand-upstream.ts";
import { openHttp2Rig } from "./rig.ts";

for (const [what, limits, flag] of [
  ["silent", { idleTimeout: 5000, maxDuration: 0 }, "SI"],
  ["long", { idleTimeout: undefined, maxDuration: 5000 }, "DT"],
] as const) {
  test(`a request that is too ${what} for its rule is answered 504 ${flag}, and the connection stays`, async (t) => {
    const upstream = new HandUpstream();
    const rig = await openHttp2Rig(t, { cluster: upstream, rule: { limits } });
    const client = await rig.client();
    client.request(1, "GET", "");
    const call = await upstream.next();
    rig.advance(4500);
    assert.equal(rig.records.length, 0);
    rig.advance(1000);
    await eventually(() => client.ended(1));
    assert.deepEqual([rig.records[0]?.status, rig.records[0]?.flag, call.cancelled], [504, flag, 1]);
    client.request(3, "GET", "");
    await upstream.next();
  });
}
