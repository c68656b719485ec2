// Whatever bytes come, from a client or from a backend: no crash, no hang, and the next request is answered as itself.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { RawClient } from "@sallyport/testkit/raw-client";
import { mutated } from "../jury/mutations.ts";
import { head } from "../protocol/case.ts";
import { openRig } from "../protocol/fixture.ts";
import type { Rig } from "../protocol/fixture.ts";
import type { Slot } from "../protocol/exercise.ts";
import { seeded } from "@sallyport/testkit/random";
import { anyBytes, cuts, pieces } from "./messages.ts";

const SEED = 9110;
/** Less than the gateway's own limit on a head, which would hide a hang. Milliseconds. */
const PATIENCE = 9000;
const LANES = 4;
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
let rig: Rig | undefined;

before(async () => {
  rig = await openRig(LANES);
});

after(async () => {
  const epitaph = rig?.system?.epitaph();
  await rig?.close();
  assert.equal(epitaph, undefined);
});

/** Sends the pieces, ends its side and waits for the end of the other. */
async function sendAndEnd(slot: Slot, sent: readonly string[]): Promise<void> {
  const client = await RawClient.open({ port: slot.port });
  try {
    for (const piece of sent) await client.send(piece);
    client.end();
    await client.signal.until(() => client.state !== "open", PATIENCE);
    assert.notEqual(client.state, "open", `no end of the connection after ${JSON.stringify(sent)}`);
    assert.equal(client.reader.problem, undefined, JSON.stringify(sent));
  } finally {
    client.close();
  }
}

async function runOnAllSlots<T>(inputs: readonly T[], work: (input: T, slot: Slot) => Promise<void>): Promise<void> {
  assert.ok(rig);
  const waiting = [...inputs];
  await Promise.all(
    rig.slots.map(async (slot) => {
      for (let input = waiting.shift(); input !== undefined; input = waiting.shift()) await work(input, slot);
      slot.upstream.begin(() => ({ when: "complete", steps: [OK] }));
      const client = await RawClient.open({ port: slot.port });
      await client.send(head("GET /after HTTP/1.1"));
      await client.signal.until(() => client.responses[0]?.complete === true, PATIENCE);
      assert.equal(client.responses[0]?.body, "ok");
      client.close();
    }),
  );
}

const noise = anyBytes(300);
/** Noise that gets past the first line of defence. */
const nearly = fc.tuple(
  fc.constantFrom("GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "\r\n", ""),
  fc.string({ unit: fc.constantFrom(...'\r\n\t :;,-+0159afgxX="\0\xff'.split(""), "\r\n"), maxLength: 120 }),
);

test("any bytes from a client end in an answer or a close, and harm nobody", async () => {
  const random = seeded(SEED);
  const plain = fc.sample(fc.tuple(noise, cuts), { seed: SEED, numRuns: 750 });
  const shaped = fc.sample(fc.tuple(nearly, cuts), { seed: SEED, numRuns: 750 });
  const inputs = [
    ...plain.map(([bytes, at]) => pieces(bytes, at)),
    ...shaped.map(([[start, rest], at]) => pieces(start + rest, at)),
    ...Array.from({ length: 1500 }, () => [mutated(random)]),
  ];
  for (const { upstream } of rig?.slots ?? []) upstream.begin(() => ({ when: "complete", steps: [OK] }));
  await runOnAllSlots(inputs, (sent, slot) => sendAndEnd(slot, sent));
});

test("any bytes from a backend end in an answer or a close, and harm nobody", async () => {
  const heads = [
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n",
    "",
  ] as const;
  const samples = fc.sample(
    fc.tuple(
      fc.constantFrom(...heads),
      fc.oneof(
        noise,
        nearly.map((pair) => pair[1]),
      ),
    ),
    {
      seed: SEED,
      numRuns: 1500,
    },
  );
  await runOnAllSlots(samples, async ([start, rest], slot) => {
    slot.upstream.begin(() => ({ when: "complete", steps: [start + rest, { do: "end" }] }));
    await sendAndEnd(slot, [head("GET / HTTP/1.1")]);
  });
});
