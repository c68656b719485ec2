/** What endpoints are told of the tries on them: each ends once, and says what they are to blame for. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Filter } from "@sallyport/policies/filter";
import { GRPC_WEB } from "@sallyport/policies/grpc-web";
import type { AnswerStep } from "@sallyport/testkit/raw-upstream";
import { eventually } from "@sallyport/testkit/eventually";
import { answer, GET, OK, openPair, type Pair } from "./pair.ts";
import { begin, answer as answerTry, fail } from "./retry-rig.ts";
import { openRig, recordOf, type RigOptions } from "./rig.ts";

const CALL = "POST /p.S/M HTTP/1.1\r\nHost: x\r\nContent-Type: application/grpc-web+proto\r\n";
const CALLS: RigOptions = { rule: { filters: [GRPC_WEB] } };
const UPGRADE = "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: w\r\n\r\n";

/** Sends a request to an upstream that says this, and resolves once the exchange is over. */
async function pass(
  t: TestContext,
  steps: readonly AnswerStep[],
  request = GET,
  options: RigOptions = {},
): Promise<Pair> {
  const pair = await openPair(t, answer(...steps), options);
  const client = await pair.rig.client();
  await client.send(request);
  await recordOf(pair.rig);
  return pair;
}

const ENDS: Readonly<Record<string, { steps: readonly AnswerStep[]; notes: readonly unknown[] }>> = {
  "an answer": { steps: [OK], notes: [200] },
  "an answer that is an error": { steps: ["HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"], notes: [503] },
  "a reset": { steps: [{ do: "reset" }], notes: ["upstream-reset"] },
  "its connection": { steps: [{ do: "end" }], notes: ["upstream-closed"] },
  "what is not HTTP": { steps: ["what do you mean\r\n\r\n"], notes: ["upstream-protocol-error"] },
  "an answer that breaks off": {
    steps: ["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", { do: "reset" }],
    notes: [200, "upstream-reset"],
  },
};

for (const [what, { steps, notes }] of Object.entries(ENDS)) {
  test(`a try that ends with ${what} says so`, async (t) => {
    const { rig } = await pass(t, steps, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    assert.deepEqual(rig.cluster.notes, notes);
  });
}

test("interim heads are no answer", async (t) => {
  const { rig } = await pass(t, ["HTTP/1.1 103 Early Hints\r\n\r\n", OK]);
  assert.deepEqual(rig.cluster.notes, [200]);
});

test("who takes no connections is told of each that was tried", async (t) => {
  const rig = await openRig(t);
  const client = await rig.client();
  await client.send(GET);
  assert.equal((await recordOf(rig)).flag, "UF");
  assert.deepEqual(rig.cluster.notes, ["connect-failure"]);
});

for (const [status, note] of [
  ["0", 200],
  ["5", 404],
  ["8", 429],
  ["13", 500],
  ["14", 503],
  ["2", 500],
  ["99", 500],
] as const) {
  test(`a call that ends in its head with ${status} counts as ${note}`, async (t) => {
    const head = `HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\ngrpc-status: ${status}\r\nContent-Length: 0\r\n\r\n`;
    const { rig } = await pass(t, [head], `${CALL}Content-Length: 0\r\n\r\n`, CALLS);
    assert.deepEqual(rig.cluster.notes, [note]);
  });
}

test("grpc-status says nothing where nobody called, and where the answer is none of gRPC", async (t) => {
  const head = (status: number): string => `HTTP/1.1 ${status} X\r\ngrpc-status: 14\r\nContent-Length: 0\r\n\r\n`;
  const { rig } = await pass(t, [head(200)]);
  assert.deepEqual(rig.cluster.notes, [200]);
  const { rig: other } = await pass(t, [head(404)], `${CALL}Content-Length: 0\r\n\r\n`, CALLS);
  assert.deepEqual(other.cluster.notes, [404]);
});

test("a tunnel is an answer, and however it ends says nothing", async (t) => {
  const steps = ["HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: w\r\n\r\nhello", { do: "reset" }] as const;
  const { rig } = await pass(t, steps, UPGRADE);
  assert.deepEqual(rig.cluster.notes, [101]);
});

for (const limit of ["requestTimeout", "backendTimeout"] as const) {
  test(`an endpoint that has the whole request when ${limit} is over is told so`, async (t) => {
    const { rig, upstream } = await openPair(t, answer({ pause: 5000 }), { rule: { [limit]: 500 } });
    const client = await rig.client();
    await client.send(GET);
    await upstream.signal.require(() => upstream.requests.length === 1, 2000, "the request");
    rig.advance(600);
    await recordOf(rig);
    assert.deepEqual(rig.cluster.notes, ["upstream-timeout"]);
  });

  test(`a client whose body does not come blames nobody when ${limit} is over`, async (t) => {
    const { rig, upstream } = await openPair(t, answer(OK), { rule: { [limit]: 500 } });
    const client = await rig.client();
    await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
    await upstream.signal.require(() => upstream.requests[0]?.message.body === "abc", 2000, "the beginning");
    rig.advance(600);
    assert.equal((await recordOf(rig)).flag, "UT");
    assert.deepEqual(rig.cluster.notes, []);
  });
}

for (const end of ["end", "reset"] as const) {
  test(`an upload that the endpoint has no patience with (${end}) blames nobody: any client could have it ejected`, async (t) => {
    const { rig } = await openPair(t, () => ({ when: "head", steps: [{ do: end }] }));
    const client = await rig.client();
    await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
    assert.match((await recordOf(rig)).flag, /U[CR]/);
    assert.deepEqual(rig.cluster.notes, []);
  });
}

test("who cannot be connected to is told so, however slow its client is", async (t) => {
  const rig = await openRig(t);
  const client = await rig.client();
  await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
  assert.equal((await recordOf(rig)).flag, "UF");
  assert.deepEqual(rig.cluster.notes, ["connect-failure"]);
});

test("a time that is over in the middle of the answer adds nothing", async (t) => {
  const steps = ["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", { pause: 5000 }] as const;
  const { rig } = await openPair(t, answer(...steps), { rule: { requestTimeout: 500 } });
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.received.endsWith("abc"), 2000, "the beginning");
  rig.advance(600);
  await recordOf(rig);
  assert.deepEqual(rig.cluster.notes, [200]);
});

test("the deadline of a call is its client's, and blames nobody", async (t) => {
  const { rig, upstream } = await openPair(t, answer({ pause: 5000 }), CALLS);
  const client = await rig.client();
  await client.send(`${CALL}grpc-timeout: 100m\r\nContent-Length: 0\r\n\r\n`);
  await upstream.signal.require(() => upstream.requests.length === 1, 2000, "the request");
  rig.advance(200);
  assert.equal((await recordOf(rig)).flag, "UT");
  assert.deepEqual(rig.cluster.notes, []);
});

test("a client that leaves blames nobody", async (t) => {
  const { rig, upstream } = await openPair(t, answer({ pause: 5000 }));
  const client = await rig.client();
  await client.send(GET);
  await upstream.signal.require(() => upstream.requests.length === 1, 2000, "the request");
  client.reset();
  assert.equal((await recordOf(rig)).flag, "DC");
  assert.deepEqual(rig.cluster.notes, []);
});

test("what filters answer has nothing to do with endpoints", async (t) => {
  const filter: Filter = {
    deterministic: false,
    onRequest: () => ({ status: 503, headers: [], body: "", flag: "FI" }),
  };
  const { rig } = await pass(t, [OK], GET, { rule: { filters: [filter] } });
  assert.deepEqual(rig.cluster.notes, []);
});

test("a copy says nothing", async (t) => {
  const filter: Filter = {
    deterministic: true,
    onRequest: (request) => {
      request.mirrorTo("copy");
      return undefined;
    },
  };
  const { rig, upstream } = await openPair(t, answer(OK), { rule: { filters: [filter] } });
  const clusters = { copy: upstream.port };
  rig.change({ rule: { filters: [filter] }, clusters });
  const client = await rig.client();
  await client.send(GET);
  await recordOf(rig);
  await eventually(() => upstream.requests.length >= 1);
  assert.deepEqual(rig.cluster.notes, [200]);
});

test("each try of a request says its own", async (t) => {
  const begun = await begin(t);
  answerTry(await begun.next(), 500, "bad");
  fail(await begun.next(), "upstream-reset", "silent");
  answerTry(await begun.next(), 200);
  assert.equal(await begun.status(), 200);
  assert.deepEqual(begun.upstream.notes, [500, "upstream-reset", 200]);
});
