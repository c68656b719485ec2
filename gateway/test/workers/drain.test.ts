import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { headerOf, Rig } from "./rig.ts";
import { toListener } from "./snapshots.ts";

/** Milliseconds in which a connection is opened and asked, on any machine. */
const MINIMUM = 4000;

for (const workers of [1, 2]) {
  const within = `with ${workers} worker${workers === 1 ? "" : "s"}`;

  test(`${within}, a drain fails /ready at once, still accepts with Connection: close, and lets requests end`, async () => {
    await using rig = await Rig.start({ workers, drain: { minimum: MINIMUM, maximum: 60_000 } });
    const port = await rig.apply();
    const kept = await rig.open();
    await kept.ask();
    const slowClient = await rig.open();
    const slow = slowClient.ask("/slow");
    await once(rig.backend, "request");
    const started = performance.now();
    const drained = rig.gateway.drain();
    const { status, body } = await rig.ready();
    assert.equal(status, 503);
    assert.match(body, /the gateway is draining/);
    const late = await rig.open();
    for (const client of [late, kept]) {
      const answer = await client.ask();
      assert.equal(answer.status, 200);
      assert.equal(headerOf(answer, "connection"), "close");
      await client.raw.signal.require(() => client.raw.state === "ended", 5_000, "the connection to end");
    }
    // one at a time, and closed: many open ones would meet the limit of this process first
    const isRefused = async (): Promise<true> => {
      await assert.rejects(async () => (await rig.open(port)).close(), /ECONNREFUSED/);
      return true;
    };
    await eventually(isRefused, { within: 60_000, what: "the end of accepting" });
    assert.ok(performance.now() - started >= MINIMUM - 5, "accepted for the minimum time");
    rig.backend.emit("release");
    assert.equal((await slow).body, "slow");
    await drained;
    await rig.gateway.closed;
    await assert.rejects(rig.ready(), /ECONNREFUSED/);
  });

  test(`${within}, a drain tells load balancers at the health path before it refuses connections`, async () => {
    await using rig = await Rig.start({ workers, drain: { minimum: 60_000, maximum: 60_000 } });
    const listener = toListener("http", 0);
    await rig.apply({ listeners: [{ ...listener, http: { ...listener.http, healthPath: "/healthz" } }] });
    const before = await rig.open();
    assert.equal((await before.ask("/healthz")).status, 200);
    const drained = rig.gateway.drain();
    for (const client of [before, await rig.open()]) assert.equal((await client.ask("/healthz")).status, 503);
    assert.equal((await (await rig.open()).ask("/")).status, 200);
    await rig.gateway.close();
    await drained;
  });

  test(`${within}, a request that does not end is cut when the maximum is over`, async () => {
    await using rig = await Rig.start({ workers, drain: { minimum: 0, maximum: 300 } });
    await rig.apply();
    const client = await rig.open();
    const slow = client.ask("/slow");
    await once(rig.backend, "request");
    const started = performance.now();
    await Promise.all([rig.gateway.drain(), assert.rejects(slow, /the connection was/)]);
    const took = performance.now() - started;
    assert.ok(took >= 295, `drained after ${took} ms`);
  });

  test(`${within}, closing during a drain ends it at once`, async () => {
    await using rig = await Rig.start({ workers, drain: { minimum: 60_000, maximum: 60_000 } });
    await rig.apply();
    const drained = rig.gateway.drain();
    await rig.gateway.close();
    await drained;
    await assert.rejects(rig.gateway.apply(rig.snapshot()), /closed/);
  });
}

test("an idle gateway drains as soon as the minimum is over", async () => {
  await using rig = await Rig.start({ workers: 1, drain: { minimum: 0, maximum: 60_000 } });
  await rig.apply();
  const idle = await rig.open();
  await idle.ask();
  await rig.gateway.drain();
});

test("POST /drain drains, and answers before it does", async () => {
  await using rig = await Rig.start({ workers: 1 });
  await rig.apply();
  const { status } = await rig.admin("/drain", "POST");
  assert.equal(status, 202);
  await rig.gateway.closed;
});
