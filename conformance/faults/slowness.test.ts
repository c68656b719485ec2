// Slow clients: what is too slow is ended, what is merely slow is served.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { RawClient } from "@sallyport/testkit/raw-client";
import { head } from "../protocol/case.ts";
import { openRig } from "../protocol/fixture.ts";
import type { Rig } from "../protocol/fixture.ts";
import { outcomeOf, plain } from "./asking.ts";

/** The limit on a head is 10 s from its first byte. */
const HEAD_LIMIT = 10_000;
/** How much sooner it may end, for timer slots; later it may for a busy machine, but not by another whole limit. */
const SLACK = 1500;
const LATEST = 2 * HEAD_LIMIT;

describe("slow clients", { concurrency: true }, () => {
  let rig: Rig | undefined;
  const port = (): number => rig?.slots[0]?.port ?? 0;

  before(async () => {
    rig = await openRig(1);
    rig.slots[0]?.upstream.begin(() => plain());
  });

  after(async () => {
    const epitaph = rig?.system?.epitaph();
    await rig?.close();
    assert.equal(epitaph, undefined);
  });

  async function assertHeadTimesOut(client: RawClient, begun: number): Promise<void> {
    await client.signal.until(() => client.state !== "open", LATEST);
    const took = performance.now() - begun;
    assert.equal(outcomeOf(client).status, 408);
    assert.notEqual(client.state, "open");
    assert.ok(took > HEAD_LIMIT - SLACK && took < LATEST, `${took} ms`);
    client.close();
  }

  test("a head that stalls is a 408 after the limit", async () => {
    const begun = performance.now();
    const client = await RawClient.open({ port: port() });
    await client.send("GET / HTTP/1.1\r\nHost: a.test\r\nX-Foo: ");
    await assertHeadTimesOut(client, begun);
  });

  test("a head that drips byte by byte is a 408 after the same limit", async () => {
    const begun = performance.now();
    const client = await RawClient.open({ port: port() });
    await client.send("GET / HTTP/1.1\r\nHost: a.test\r\nX-Foo: ");
    const drip = setInterval(() => void client.send("y"), 300);
    try {
      await assertHeadTimesOut(client, begun);
    } finally {
      clearInterval(drip);
    }
  });

  test("a second head on a kept connection has the same limit", async () => {
    const client = await RawClient.open({ port: port() });
    await client.send(head("GET / HTTP/1.1"));
    await client.signal.require(() => client.responses[0]?.complete === true, 5000, "the first answer");
    const begun = performance.now();
    await client.send("GET / HTTP/1.1\r\nHost: a.t");
    await client.signal.until(() => client.state !== "open", LATEST);
    const took = performance.now() - begun;
    assert.equal(client.responses[1]?.status, 408);
    assert.ok(took > HEAD_LIMIT - SLACK && took < LATEST, `${took} ms`);
    client.close();
  });

  test("an idle connection that has sent nothing outlives the limit of a head", async () => {
    const client = await RawClient.open({ port: port() });
    await client.send(head("GET / HTTP/1.1"));
    await client.signal.require(() => client.responses[0]?.complete === true, 5000, "the first answer");
    await client.signal.until(() => client.state !== "open", HEAD_LIMIT + SLACK);
    await client.send(head("GET / HTTP/1.1"));
    await client.signal.require(() => client.responses[1]?.complete === true, 5000, "the second answer");
    client.close();
  });

  test("a body that drips but keeps coming is served", async () => {
    const client = await RawClient.open({ port: port() });
    await client.send(head("POST / HTTP/1.1", "Content-Length: 24"));
    for (let sent = 0; sent < 24; sent += 1) {
      await client.send("x");
      await setTimeout(500);
    }
    await client.signal.require(() => client.responses[0]?.complete === true, 5000, "the answer");
    assert.equal(outcomeOf(client).status, 200);
    client.close();
  });
});
