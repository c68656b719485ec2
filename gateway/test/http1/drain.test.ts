/** How a bound port lets its connections go, and that a change of configuration lets none go. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { answer, fieldOf, GET, OK, openPair } from "./pair.ts";

test("a draining port ends idle connections, finishes requests, and still answers new ones", async (t) => {
  const { rig, upstream } = await openPair(t, answer({ pause: 50 }, OK));
  const idle = await rig.client();
  const busy = await rig.client();
  const half = await rig.client();
  await busy.send(GET);
  await half.send("GET / HT");
  await upstream.signal.require(() => upstream.requests.length === 1, 2000, "the request");
  await eventually(() => rig.bound.connections === 3);
  rig.bound.drain();
  await idle.signal.require(() => idle.state === "ended", 2000, "the idle one's end");
  await busy.signal.require(() => busy.state === "ended", 2000, "the busy one's end");
  assert.equal(busy.responses[0]?.status, 200);
  assert.equal(fieldOf(busy.received, "connection"), "close");
  await half.send("TP/1.1\r\nHost: x\r\n\r\n");
  await half.signal.require(() => half.state === "ended", 2000, "the half one's end");
  assert.equal(half.responses[0]?.status, 200);
  const late = await rig.client();
  await late.send(GET);
  await late.signal.require(() => late.state === "ended", 2000, "the late one's end");
  assert.equal(late.responses[0]?.status, 200);
});

test("a retired port accepts nothing more and is done with its last connection", async (t) => {
  const { rig, upstream } = await openPair(t, answer({ pause: 50 }, OK));
  const busy = await rig.client();
  await busy.send(GET);
  await upstream.signal.require(() => upstream.requests.length === 1, 2000, "the request");
  let done = false;
  const retired = rig.bound.retire().then(() => {
    done = true;
  });
  await assert.rejects(rig.client());
  assert.ok(!done);
  await busy.signal.require(() => busy.state === "ended", 2000, "the end");
  assert.equal(busy.responses[0]?.status, 200);
  busy.close();
  await retired;
  assert.equal(rig.bound.connections, 0);
});

test("a change of configuration leaves connections and requests alone", async (t) => {
  const { rig } = await openPair(t, answer({ pause: 20 }, OK));
  const client = await rig.client();
  for (let i = 1; i <= 5; i++) {
    await client.send(GET);
    rig.change({ http: { maxHeadBytes: 50_000 + i } });
    await client.signal.require(() => client.responses.length === i, 2000, "the answer");
  }
  assert.ok(client.responses.every(({ status }) => status === 200));
  assert.equal(rig.counts.opened, 1);
});

test("a closed port cuts what is left", async (t) => {
  const { rig, upstream } = await openPair(t, answer({ pause: 5000 }));
  const client = await rig.client();
  await client.send(GET);
  await upstream.signal.require(() => upstream.requests.length === 1, 2000, "the request");
  await rig.bound.close();
  await client.signal.require(() => client.state !== "open", 2000, "the end");
  assert.equal(rig.records[0]?.flag, "DC");
});
