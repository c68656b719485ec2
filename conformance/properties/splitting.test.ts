// A message is a sequence of octets (RFC 9112 section 2): how the network cuts it must not show on either side.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { RawClient } from "@sallyport/testkit/raw-client";
import type { AnswerStep } from "@sallyport/testkit/raw-upstream";
import { fieldValues } from "@sallyport/testkit/strict-http";
import type { Message } from "@sallyport/testkit/strict-http";
import { chunked, head, post } from "../protocol/case.ts";
import { openRig } from "../protocol/fixture.ts";
import type { Rig } from "../protocol/fixture.ts";
import type { Slot } from "../protocol/exercise.ts";
import { cuts, pieces, validRequest } from "./messages.ts";

const SEED = 9112;
const PATIENCE = 30_000;
const GAP = 1;
const LANES = 4;
let rig: Rig | undefined;

before(async () => {
  rig = await openRig(LANES);
});

after(async () => {
  const epitaph = rig?.system?.epitaph();
  await rig?.close();
  assert.equal(epitaph, undefined);
});

/** What is compared: everything but what the gateway makes up for each request. */
function outline(message: Message): unknown {
  const fields = message.fields.filter(({ name }) => !/^(x-request-id|date)$/i.test(name));
  return [message.method, message.target, message.status, fields, message.body, message.trailers, message.complete];
}

interface Exchanges {
  readonly requests: readonly Message[];
  readonly responses: readonly Message[];
}

/** Sends the pieces one by one and answers each request with these steps. */
async function exchange(
  slot: Slot,
  sent: readonly string[],
  count: number,
  steps: readonly AnswerStep[],
): Promise<Exchanges> {
  const { upstream } = slot;
  upstream.begin(() => ({ when: "complete", steps }));
  const client = await RawClient.open({ port: slot.port });
  try {
    for (const piece of sent) {
      await client.send(piece);
      await client.signal.until(() => client.state !== "open", GAP);
    }
    const whole = (): boolean => client.responses.filter(({ complete }) => complete).length === count;
    await client.signal.until(() => whole() || client.state !== "open", PATIENCE);
    assert.ok(
      whole(),
      `${client.responses.length} of ${count} answers, connection ${client.state}: ${client.received}`,
    );
    assert.equal(client.reader.problem, undefined);
    for (const { reader } of upstream.connections) assert.equal(reader.problem, undefined);
    return { requests: upstream.requests.map(({ message }) => message), responses: client.responses };
  } finally {
    client.close();
  }
}

/** Runs jobs on all slots at once. */
async function onAllSlots<T>(jobs: readonly T[], work: (job: T, slot: Slot) => Promise<void>): Promise<void> {
  const waiting = [...jobs];
  assert.ok(rig);
  await Promise.all(
    rig.slots.map(async (slot) => {
      for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) await work(job, slot);
    }),
  );
}

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const CHUNKED_ANSWER =
  "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" +
  "HTTP/1.1 200 OK\r\nX-Foo: b\xe4r\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n";

const FIXED = [
  ["a GET", head("GET /a/b?c=d HTTP/1.1", "X-Foo: bar", "X-Bar: \xe9"), 1],
  ["a POST with a length and a GET behind it", post("hello world", "X-Foo: bar") + head("GET /2 HTTP/1.1"), 2],
  [
    "a chunked POST with extensions and trailers",
    chunked("5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n", "Trailer: X-Sum"),
    1,
  ],
] as const;

for (const [name, bytes, count] of FIXED) {
  test(`${name} gives the same exchanges split at any byte`, async () => {
    const slot = rig?.slots[0];
    assert.ok(slot);
    const whole = await exchange(slot, [bytes], count, [OK]);
    const places = Array.from({ length: bytes.length - 1 }, (_, index) => index + 1);
    await onAllSlots(places, async (at, lane) => {
      const split = await exchange(lane, [bytes.slice(0, at), bytes.slice(at)], count, [OK]);
      assert.deepEqual(split.requests.map(outline), whole.requests.map(outline), `split at byte ${at}`);
      assert.deepEqual(split.responses.map(outline), whole.responses.map(outline), `split at byte ${at}`);
    });
  });
}

test("an answer gives the same response split at any byte", async () => {
  const slot = rig?.slots[0];
  assert.ok(slot);
  const request = [head("GET /a HTTP/1.1")];
  const whole = await exchange(slot, request, 1, [CHUNKED_ANSWER]);
  assert.equal(whole.responses[0]?.body, "hello!");
  const places = Array.from({ length: CHUNKED_ANSWER.length - 1 }, (_, index) => index + 1);
  await onAllSlots(places, async (at, lane) => {
    const steps = [CHUNKED_ANSWER.slice(0, at), { pause: GAP }, CHUNKED_ANSWER.slice(at)];
    const split = await exchange(lane, request, 1, steps);
    assert.deepEqual(split.responses.map(outline), whole.responses.map(outline), `split at byte ${at}`);
  });
});

test("any valid requests, pipelined and cut anywhere, arrive as they were meant", async () => {
  const requests = fc.array(validRequest, { minLength: 1, maxLength: 4 });
  const samples = fc.sample(fc.tuple(requests, cuts, fc.boolean()), { seed: SEED, numRuns: 800 });
  await onAllSlots(samples, async ([sent, at], lane) => {
    const bytes = sent.map((request) => request.bytes).join("");
    const seen = await exchange(lane, pieces(bytes, at), sent.length, [OK]);
    const meant = sent.map(({ method, target, body, field }) => [method, target, body, field[1]]);
    const got = seen.requests.map((message, index) => [
      message.method,
      message.target,
      message.body,
      fieldValues(message.fields, sent[index]?.field[0] ?? "").join(", "),
    ]);
    assert.deepEqual(got, meant, JSON.stringify(pieces(bytes, at)));
  });
});
