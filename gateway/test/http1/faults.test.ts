/** What happens when a side does not keep to the rules, or goes away. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { RawUpstream, type AnswerStep } from "@sallyport/testkit/raw-upstream";
import { answer, GET, OK, openPair } from "./pair.ts";
import { openRig, recordOf } from "./rig.ts";

const REFUSED: readonly (readonly [name: string, request: string, status: number, details: string])[] = [
  ["a bare LF", "GET / HTTP/1.1\nHost: x\r\n\r\n", 400, "invalid request line"],
  ["a field value with NUL", "GET / HTTP/1.1\r\nHost: x\r\nA: b\0\r\n\r\n", 400, "invalid field value"],
  ["a blank before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400, "invalid field name"],
  ["obs-fold", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400, "invalid field name"],
  ["no Host", "GET / HTTP/1.1\r\n\r\n", 400, "no Host"],
  ["two Hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400, "second Host"],
  ["a Host that is none", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400, "invalid Host"],
  [
    "two lengths",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
    400,
    "second Content-Length",
  ],
  ["a signed length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na", 400, "invalid Content-Length"],
  [
    "a length and chunked",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
    "Transfer-Encoding with Content-Length, or in HTTP/1.0",
  ],
  [
    "another coding",
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    501,
    "Transfer-Encoding other than chunked",
  ],
  [
    "chunked twice",
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
    "second Transfer-Encoding",
  ],
  ["HTTP/2.0 in a request line", "GET /a HTTP/2.0\r\n\r\n", 505, "version other than 1.0 and 1.1"],
  ["a preface of HTTP/2 that is none", "PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n", 505, "version other than 1.0 and 1.1"],
  ["CONNECT", "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", 501, "CONNECT"],
  [
    "another expectation",
    "POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 1\r\n\r\na",
    417,
    "unknown expectation",
  ],
  ["a target beyond the limit", `GET /${"a".repeat(70_000)}`, 414, "request line beyond the limit"],
  ["a head beyond the limit", `GET / HTTP/1.1\r\nHost: x\r\nA: ${"b".repeat(70_000)}`, 431, "head beyond the limit"],
  ["too many fields", `GET / HTTP/1.1\r\nHost: x\r\n${"A: b\r\n".repeat(100)}\r\n`, 431, "too many fields"],
  ["an underscore in a name", "GET / HTTP/1.1\r\nHost: x\r\nA_B: c\r\n\r\n", 400, "underscore in a field name"],
  ["an escaped NUL in the path", "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "invalid path"],
];

for (const [name, request, status, details] of REFUSED) {
  test(`${name} is answered ${status} and ends the connection`, async (t) => {
    const rig = await openRig(t);
    const client = await rig.client();
    await client.send(`${request}${GET}`);
    await client.signal.require(() => client.state !== "open", 2000, "the end");
    assert.equal(client.state, "ended");
    assert.equal(client.responses.length, 1);
    assert.equal(client.responses[0]?.status, status);
    const record = await recordOf(rig);
    assert.deepEqual([record.status, record.flag, record.details], [status, "DPE", details]);
    assert.equal(rig.cluster.opened, 0);
  });
}

test("a malformed chunk of a request is answered 400 and the upstream connection is closed", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK));
  const client = await rig.client();
  await client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  await upstream.signal.require(() => upstream.requests.length === 1, 2000, "the request");
  await client.send(`3\r\nabcX\r\n${GET}`);
  await client.signal.require(() => client.state === "ended", 2000, "the end");
  assert.equal(client.responses[0]?.status, 400);
  await upstream.signal.require(() => upstream.connections[0]?.ended === true, 2000, "the upstream's end");
  assert.equal(upstream.requests.length, 1);
});

test("a backend that refuses connections is answered 503 UF, and the client may go on", async (t) => {
  const rig = await openRig(t, { upstream: await freePort() });
  const client = await rig.client();
  await client.send(GET + GET);
  await client.signal.require(() => client.responses.length === 2, 2000, "two answers");
  assert.equal(client.responses[1]?.status, 503);
  const record = await recordOf(rig);
  assert.deepEqual([record.flag, record.details], ["UF", "connect-failure"]);
});

const BROKEN: readonly (readonly [name: string, steps: readonly AnswerStep[], flag: string])[] = [
  ["garbage", ["SSH-2.0-OpenSSH\r\n"], "UPE"],
  ["two lengths that differ", ["HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"], "UPE"],
  ["a length and chunked", ["HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"], "UPE"],
  ["another coding", ["HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"], "UPE"],
  ["a status of two digits", ["HTTP/1.1 20 OK\r\nA: bcdefgh\r\n\r\n"], "UPE"],
  ["status 600", ["HTTP/1.1 600 OK\r\n\r\n"], "UPE"],
  ["a bare LF", ["HTTP/1.1 200 OK\r\nA: b\nContent-Length: 0\r\n\r\n"], "UPE"],
  ["a head beyond the limit", [`HTTP/1.1 200 OK\r\nA: ${"b".repeat(70_000)}`], "UPE"],
  ["an interim answer with a length", ["HTTP/1.1 103 X\r\nContent-Length: 0\r\n\r\n", OK], "UPE"],
  ["seventeen interim answers", ["HTTP/1.1 103 X\r\n\r\n".repeat(17), OK], "UPE"],
  ["101 that nobody asked for", ["HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n"], "UPE"],
  ["a malformed first chunk", ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"], "UPE"],
  [
    "a malformed chunk later",
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", { pause: 10 }, "zz"],
    "cut",
  ],
  ["nothing but FIN", [{ do: "end" }], "UC"],
  ["half a head and FIN", ["HTTP/1.1 200 O", { do: "end" }], "UC"],
  ["a reset", [{ do: "reset" }], "UR"],
];

for (const [name, steps, flag] of BROKEN) {
  test(`an upstream that answers ${name} yields ${flag}`, async (t) => {
    const { rig, upstream } = await openPair(t, answer(...steps));
    const client = await rig.client();
    await client.send(GET);
    if (flag === "cut") {
      await client.signal.require(() => client.state === "reset", 2000, "a reset");
      assert.equal((await recordOf(rig)).flag, "UPE");
    } else {
      await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
      assert.equal(client.responses[0]?.status, flag === "UPE" ? 502 : 503);
      assert.equal((await recordOf(rig)).flag, flag);
      assert.equal(client.state, "open");
    }
    await upstream.signal.require(() => upstream.connections[0]?.closed === true, 2000, "the upstream's end");
    assert.equal(rig.cluster.idle.length, 0);
    assert.deepEqual(rig.bugs, []);
  });
}

for (const [name, head] of [
  ["length", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"],
  ["chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"],
] as const) {
  test(`an answer by ${name} that is cut resets the client`, async (t) => {
    const { rig } = await openPair(t, answer(head, { pause: 10 }, { do: "end" }));
    const client = await rig.client();
    await client.send(GET);
    await client.signal.require(() => client.state === "reset", 2000, "a reset");
    const record = await recordOf(rig);
    assert.deepEqual([record.status, record.flag, record.bytesSent], [200, "UC", 3]);
  });
}

test("a connection with bytes behind an answer is not used again", async (t) => {
  const { rig, upstream } = await openPair(t, answer(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`));
  const client = await rig.client();
  await client.send(GET + GET);
  await client.signal.require(() => client.responses.length === 2, 2000, "two answers");
  assert.equal(client.received, OK + OK);
  assert.equal(upstream.connections.length, 2);
});

test("bytes on an idle connection close it", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK, { pause: 10 }, OK));
  const client = await rig.client();
  await client.send(GET);
  await upstream.signal.require(() => upstream.connections[0]?.closed === true, 2000, "the upstream's end");
  assert.equal(rig.cluster.idle.length, 0);
  assert.equal(client.received, OK);
});

test("a request that meets a dead kept-alive connection is sent again on a fresh one", async (t) => {
  const { rig, upstream } = await openPair(t, (_request, index) => ({
    when: "complete",
    steps: index === 1 ? [{ do: "end" }] : [OK],
  }));
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 2, 2000, "the second answer");
  assert.equal(client.responses[1]?.status, 200);
  assert.equal(upstream.connections.length, 2);
  const ids = upstream.requests.map(({ message }) => message.fields.find(({ name }) => name === "x-request-id")?.value);
  assert.equal(ids[1], ids[2]);
  assert.equal((await recordOf(rig, 1)).flag, "-");
});

for (const [name, request] of [
  ["POST", "POST / HTTP/1.1\r\nHost: x\r\n\r\n"],
  ["a request with a body", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"],
] as const) {
  test(`${name} is not sent again`, async (t) => {
    const { rig, upstream } = await openPair(t, (_request, index) => ({
      when: "complete",
      steps: index === 1 ? [{ do: "end" }] : [OK],
    }));
    const client = await rig.client();
    await client.send(GET);
    await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
    await client.send(request);
    await client.signal.require(() => client.responses.length === 2, 2000, "the second answer");
    assert.equal(client.responses[1]?.status, 503);
    assert.equal((await recordOf(rig, 1)).flag, "UC");
    assert.equal(upstream.requests.length, 2);
  });
}

test("a request is sent again once, and not after a byte of an answer", async (t) => {
  const { rig, upstream } = await openPair(t, (_request, index) => ({
    when: "complete",
    steps: index === 0 || index === 3 ? [OK] : index === 4 ? ["H", { pause: 5 }, { do: "end" }] : [{ do: "end" }],
  }));
  const client = await rig.client();
  for (let i = 1; i <= 4; i++) {
    await client.send(GET);
    await client.signal.require(() => client.responses.length === i, 2000, "the answer");
  }
  assert.deepEqual(
    client.responses.map(({ status }) => status),
    [200, 503, 200, 503],
  );
  assert.equal(upstream.requests.length, 5);
});

test("a client that leaves while it waits is noted as DC and lets the upstream go", async (t) => {
  const { rig, upstream } = await openPair(t, answer({ pause: 5000 }));
  const client = await rig.client();
  await client.send(GET);
  await upstream.signal.require(() => upstream.requests.length === 1, 2000, "the request");
  client.reset();
  await upstream.signal.require(() => upstream.connections[0]?.closed === true, 2000, "the upstream's end");
  const record = await recordOf(rig);
  assert.deepEqual([record.status, record.flag, record.details], [0, "DC", "downstream-closed"]);
});

test("a client that leaves while its request waits for a connection gives its place back", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK));
  rig.cluster.hold = true;
  const client = await rig.client();
  await client.send(GET);
  await eventually(() => rig.cluster.waiting === 1);
  client.reset();
  assert.equal((await recordOf(rig)).flag, "DC");
  assert.equal(rig.cluster.cancelled, 1);
  rig.cluster.release();
  assert.equal(upstream.requests.length, 0);
});

test("a client that leaves in the middle of its body cuts the request", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK));
  const client = await rig.client();
  await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  await upstream.signal.require(() => upstream.requests[0]?.message.body === "abc", 2000, "the request");
  client.end();
  await upstream.signal.require(() => upstream.connections[0]?.ended === true, 2000, "the upstream's end");
  const record = await recordOf(rig);
  assert.deepEqual([record.status, record.flag, record.bytesReceived], [0, "DC", 3]);
});

test("a client that leaves in the middle of its answer is noted as DC with the status sent", async (t) => {
  const { rig, upstream } = await openPair(t, answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"));
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.received.endsWith("abc"), 2000, "the beginning");
  client.reset();
  await upstream.signal.require(() => upstream.connections[0]?.closed === true, 2000, "the upstream's end");
  const record = await recordOf(rig);
  assert.deepEqual([record.status, record.flag, record.bytesSent], [200, "DC", 3]);
});

test("what a cluster refuses with is answered as the table of faults says", async (t) => {
  const rig = await openRig(t);
  const client = await rig.client();
  rig.cluster.refuseWith = "no-endpoints";
  await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.equal(client.responses[0]?.status, 503);
  assert.equal((await recordOf(rig)).flag, "UH");
});

test("connections beyond the limit are closed at once, and their places come back", async (t) => {
  const { rig } = await openPair(t, answer(OK), { connections: 1 });
  const first = await rig.client();
  const second = await rig.client();
  await second.signal.require(() => second.state !== "open", 2000, "the end");
  first.close();
  await eventually(() => rig.bound.connections === 0, { what: "the place" });
  const third = await rig.client();
  await third.send(GET);
  await third.signal.require(() => third.responses.length === 1, 2000, "the answer");
});

async function freePort(): Promise<number> {
  const upstream = await RawUpstream.open(answer(OK));
  const { port } = upstream;
  await upstream.close();
  return port;
}
