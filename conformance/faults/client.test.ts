// A client that vanishes in each phase of an exchange: the backend is let go, and nothing of it is left behind.
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { RawClient } from "@sallyport/testkit/raw-client";
import type { Answer } from "@sallyport/testkit/raw-upstream";
import { head } from "../protocol/case.ts";
import { openRig } from "../protocol/fixture.ts";
import { ask, PATIENCE, plain, settles } from "./asking.ts";
import { readMetric } from "./edge.ts";

const rig = await openRig(1);
const [slot] = rig.slots;
assert.ok(slot);
const { port, upstream } = slot;

beforeEach(() => upstream.begin(() => plain()));

after(async () => {
  const epitaph = rig.system?.epitaph();
  await rig.close();
  assert.equal(epitaph, undefined);
});

const BIG = `HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${"z".repeat(1000)}`;

const BOTH = ["reset", "close"] as const;

interface Phase {
  readonly name: string;
  readonly send: string;
  readonly answer: Answer;
  /**
   * How it may go; default both. An orderly close behind a complete request is a half close: the answer is still owed,
   * and only a write can tell that nobody is there.
   */
  readonly ways?: readonly ("reset" | "close")[];
  /** What must have happened before the client goes. */
  readonly moment: "sent" | "head-at-backend" | "request-at-backend" | "response-began";
}

const phases: readonly Phase[] = [
  { name: "before it sent anything", send: "", answer: plain(), moment: "sent" },
  { name: "inside its head", send: "GET / HTTP/1.1\r\nHost: a.t", answer: plain(), moment: "sent" },
  {
    name: "between head and body",
    send: head("POST / HTTP/1.1", "Content-Length: 9"),
    answer: plain(),
    moment: "head-at-backend",
  },
  {
    name: "inside its body",
    send: `${head("POST / HTTP/1.1", "Content-Length: 9")}half`,
    answer: plain(),
    moment: "head-at-backend",
  },
  {
    name: "inside a chunk",
    send: `${head("POST / HTTP/1.1", "Transfer-Encoding: chunked")}9\r\nhalf`,
    answer: plain(),
    moment: "head-at-backend",
  },
  {
    name: "while it waits for the answer",
    send: head("GET / HTTP/1.1"),
    answer: { when: "complete", steps: [{ pause: 20_000 }] },
    moment: "request-at-backend",
    ways: ["reset"],
  },
  {
    name: "inside the response",
    send: head("GET / HTTP/1.1"),
    answer: { when: "complete", steps: [BIG, { pause: 20_000 }] },
    moment: "response-began",
    ways: ["reset"],
  },
  {
    name: "inside a response that goes on",
    send: head("GET / HTTP/1.1"),
    answer: { when: "complete", steps: [BIG, ...Array.from({ length: 100 }, () => [{ pause: 20 }, "more"]).flat()] },
    moment: "response-began",
  },
];

function hasCome(moment: Phase["moment"], client: RawClient): boolean {
  if (moment === "sent") return true;
  if (moment === "response-began") return client.responses.length > 0;
  const [first] = upstream.requests;
  return moment === "head-at-backend" ? first !== undefined : first?.message.complete === true;
}

for (const { name, send, answer, moment, ways = BOTH } of phases) {
  for (const way of ways) {
    test(`a client that leaves ${name} (${way}) lets its backend go`, async () => {
      upstream.begin((_request, index) => (index === 0 ? answer : plain()));
      const client = await RawClient.open({ port });
      await client.send(send);
      await eventually(() => hasCome(moment, client), { what: moment });
      client[way]();
      const connection = upstream.requests[0]?.connection;
      if (connection !== undefined) {
        await upstream.signal.require(
          () => connection.ended || connection.closed,
          PATIENCE,
          "the backend to be let go",
        );
      }
      upstream.begin(() => plain());
      assert.deepEqual((await ask(port)).body, "ok");
    });
  }
}

test("no connection is counted as active when all clients have gone", async (t) => {
  const sallyport = rig.system?.sallyport;
  if (sallyport === undefined) return t.skip("a peer has other metrics");
  await settles(async () => assert.equal(await readMetric(sallyport, "sallyport_downstream_connections_active"), 0), {
    what: "the gauge of connections to be zero",
  });
});
