/** What becomes of the connection of a try that is given up, with the clock turned by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RetryPolicy } from "@sallyport/model/retry";
import { eventually } from "@sallyport/testkit/eventually";
import { compileRetry } from "../../src/retry/policy.ts";
import { answer, GET, OK, openPair } from "./pair.ts";

const POLICY: RetryPolicy = {
  attempts: 2,
  on: ["reset", "timeout"],
  statuses: [503],
  backoff: { least: 8, base: 8, max: 8 },
};
const BAD = "HTTP/1.1 503 X\r\nContent-Length: 2\r\n\r\nno";

/** The wait before the next try, which begins in a turn of its own. */
async function passBackoff(rig: { advance(milliseconds: number): void }, done: () => boolean): Promise<void> {
  await eventually(() => {
    rig.advance(4);
    return done();
  });
}

test("an answer that came before the request was sent whole leaves a connection that nobody else gets", async (t) => {
  const { rig, upstream } = await openPair(
    t,
    (_, index) => ({ when: index === 0 ? "head" : "complete", steps: [index === 0 ? BAD : OK] }),
    {
      rule: { retry: compileRetry(POLICY) },
    },
  );
  const client = await rig.client();
  await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello");
  await passBackoff(rig, () => upstream.requests.length === 2);
  await client.send("world");
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.equal(client.responses[0]?.status, 200);
  assert.equal(upstream.requests[1]?.message.body, "helloworld");
  assert.equal(upstream.connections.length, 2);
  const [first] = upstream.connections;
  await eventually(() => first?.ended === true || first?.reset === true);
});

test("an answer that is too long to be dropped costs its connection at once", async (t) => {
  const long = `HTTP/1.1 503 X\r\nContent-Length: 67108864\r\n\r\n${"x".repeat(1000)}`;
  const { rig, upstream } = await openPair(t, (_, index) => ({ when: "complete", steps: [index === 0 ? long : OK] }), {
    rule: { retry: compileRetry(POLICY) },
  });
  const client = await rig.client();
  await client.send(GET);
  await eventually(() => upstream.connections[0]?.closed === true, { what: "the end, in no time" });
  await passBackoff(rig, () => client.responses.length === 1);
  assert.equal(client.responses[0]?.status, 200);
});

test("a connection that is not up when the time of its try is over is not waited for", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK), {
    rule: { retry: compileRetry(POLICY), backendTimeout: 100 },
  });
  // in the same turn, so that the connection cannot be up
  rig.cluster.onOpened = () => {
    rig.cluster.onOpened = () => undefined;
    queueMicrotask(() => rig.advance(120));
  };
  const client = await rig.client();
  await client.send(GET);
  await passBackoff(rig, () => client.responses.length === 1);
  assert.deepEqual([client.responses[0]?.status, rig.cluster.opened, upstream.requests.length], [200, 2, 1]);
  assert.deepEqual(rig.cluster.notes, ["upstream-timeout", 200]);
});
