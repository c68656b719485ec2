/** Filters around an exchange: order, waiting, replies, changes, caching with the head, mirrors, and bugs in them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Filter, LocalReply, RequestView } from "@sallyport/policies/filter";
import { eventually } from "@sallyport/testkit/eventually";
import { answer, fieldOf, GET, OK, openPair } from "./pair.ts";
import { openRig, recordOf } from "./rig.ts";

const TEAPOT: LocalReply = { status: 418, headers: [["x-reply", "1"]], body: "tea", flag: "FI" };

function filter(parts: Partial<Filter>): Filter {
  return { deterministic: false, ...parts };
}

/** Appends its letter on both ways. */
function letter(name: string): Filter {
  return filter({
    onRequest(request) {
      request.addHeader("X-Way", name);
      return undefined;
    },
    onResponse(response) {
      response.addHeader("X-Back", name);
    },
  });
}

test("filters of the rule run before those of the backend, and backwards on the answer", async (t) => {
  const options = { rule: { filters: [letter("a"), letter("b")] }, backend: { filters: [letter("c")] } };
  const { rig, upstream } = await openPair(t, answer(OK), options);
  const client = await rig.client();
  await client.send(GET + GET);
  await client.signal.require(() => client.responses.length === 2, 2000, "two answers");
  for (const { message } of upstream.requests)
    assert.equal(message.fields.find(({ name }) => name === "X-Way")?.value, "a,b,c");
  assert.equal(fieldOf(client.received, "x-back"), "c,b,a");
});

test("a reply ends the request phases and passes the filters that ran before it", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK), {
    rule: { filters: [letter("a"), filter({ onRequest: () => TEAPOT }), letter("z")] },
  });
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.match(
    client.received,
    /^HTTP\/1\.1 418 [^\r]+\r\nx-reply: 1\r\ncontent-length: 3\r\nX-Back: a\r\ndate: [^\r]+\r\n\r\ntea$/,
  );
  assert.equal(upstream.requests.length, 0);
  assert.equal((await recordOf(rig)).flag, "FI");
});

test("a reply to HEAD has the length of the body it does not have", async (t) => {
  const rig = await openRig(t, { rule: { filters: [filter({ onRequest: () => TEAPOT })] } });
  const client = await rig.client({ heads: [0] });
  await client.send(GET.replace("GET", "HEAD") + GET);
  await client.signal.require(() => client.responses.length === 2, 2000, "two answers");
  assert.equal(client.responses[0]?.fields.find(({ name }) => name === "content-length")?.value, "3");
});

test("a fault passes the response filters too", async (t) => {
  const rig = await openRig(t, { rule: { filters: [letter("a")] } });
  rig.cluster.refuseWith = "no-endpoints";
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.equal(fieldOf(client.received, "x-back"), "a");
});

test("an exchange waits for a filter, and the body waits with it", async (t) => {
  let go: (() => void) | undefined;
  const slow = filter({
    onRequest: () =>
      new Promise<undefined>((resolve) => {
        go = () => resolve(undefined);
      }),
  });
  const { rig, upstream } = await openPair(t, answer(OK), { rule: { filters: [slow, letter("b")] } });
  const client = await rig.client();
  const body = "x".repeat(200_000);
  await client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`);
  void client.send(body);
  await eventually(() => go !== undefined);
  assert.equal(upstream.connections.length, 0);
  go?.();
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.equal(upstream.requests[0]?.message.body, body);
});

test("a filter may reply after waiting", async (t) => {
  const rig = await openRig(t, { rule: { filters: [filter({ onRequest: () => Promise.resolve(TEAPOT) })] } });
  const client = await rig.client();
  await client.send(GET + GET);
  await client.signal.require(() => client.responses.length === 2, 2000, "two answers");
  assert.equal(client.responses[1]?.status, 418);
});

test("a filter that is done when its exchange is over changes nothing any more", async (t) => {
  const pending: { view: RequestView; go: () => void }[] = [];
  const slow = filter({
    onRequest: (view) =>
      view.header("x-slow") === undefined
        ? undefined
        : new Promise<undefined>((resolve) => {
            pending.push({ view, go: () => resolve(undefined) });
          }),
  });
  const { rig, upstream } = await openPair(t, answer(OK), { rule: { filters: [slow], requestTimeout: 100 } });
  const client = await rig.client();
  await client.send("GET /slow HTTP/1.1\r\nHost: x\r\nX-Slow: 1\r\n\r\n");
  await eventually(() => pending.length === 1);
  rig.advance(200);
  await client.signal.require(() => client.responses.length === 1, 2000, "504");
  // the next request is under way when the filter of the one before comes to its end
  rig.cluster.hold = true;
  await client.send(GET);
  await eventually(() => rig.cluster.waiting === 1);
  pending[0]?.view.setHeader("X-Late", "1");
  pending[0]?.go();
  rig.cluster.release();
  await client.signal.require(() => client.responses.length === 2, 2000, "the answer");
  assert.deepEqual(
    client.responses.map(({ status }) => status),
    [504, 200],
  );
  assert.equal(upstream.requests.length, 1);
  assert.doesNotMatch(upstream.connections[0]?.received ?? "", /X-Late/);
});

test("the outcome of deterministic filters is kept with the head, that of others is not", async (t) => {
  const runs = { deterministic: 0, other: 0 };
  const count = (kind: keyof typeof runs): Filter =>
    filter({
      deterministic: kind === "deterministic",
      onRequest(request) {
        runs[kind]++;
        request.setHeader("X-Set", kind);
        request.path = "/rewritten?q";
        return undefined;
      },
    });
  for (const kind of ["deterministic", "other"] as const) {
    const { rig, upstream } = await openPair(t, answer(OK), { rule: { filters: [count(kind)] } });
    const client = await rig.client();
    await client.send(GET + GET + GET);
    await client.signal.require(() => client.responses.length === 3, 2000, "three answers");
    for (const { message } of upstream.requests) {
      assert.equal(message.target, "/rewritten?q");
      assert.equal(message.fields.filter(({ name, value }) => name === "X-Set" && value === kind).length, 1);
    }
    rig.change({ rule: { filters: [count(kind)] } });
    await client.send(GET);
    await client.signal.require(() => client.responses.length === 4, 2000, "a fourth answer");
    assert.equal(rig.records[3]?.originalPath, "/a");
  }
  assert.deepEqual(runs, { deterministic: 2, other: 4 });
});

test("a filter that looks at the request id is not kept with the head", async (t) => {
  const copyId = filter({
    deterministic: true,
    onRequest(request) {
      request.setHeader("X-Copy", request.header("x-request-id") ?? "");
      return undefined;
    },
  });
  const { rig, upstream } = await openPair(t, answer(OK), { rule: { filters: [copyId] } });
  const client = await rig.client();
  await client.send(GET + GET);
  await client.signal.require(() => client.responses.length === 2, 2000, "two answers");
  const [one, two] = upstream.requests.map(({ message }) =>
    ["X-Copy", "x-request-id"].map((wanted) => message.fields.find(({ name }) => name === wanted)?.value),
  );
  assert.equal(one?.[0], one?.[1]);
  assert.equal(two?.[0], two?.[1]);
  assert.notEqual(one?.[0], two?.[0]);
});

test("a filter that throws is a bug: 500, one line in the log, and the connection lives on", async (t) => {
  const broken = filter({
    onRequest() {
      throw new Error("broken filter");
    },
  });
  const rig = await openRig(t, { rule: { filters: [broken] } });
  const client = await rig.client();
  await client.send(GET + GET);
  await client.signal.require(() => client.responses.length === 2, 2000, "two answers");
  assert.equal(client.responses[1]?.status, 500);
  assert.equal(rig.bugs.length, 2);
  assert.match(rig.bugs[0] ?? "", /broken filter[^]*at /);
  assert.equal((await recordOf(rig)).details, "internal-error");
});

test("a response filter that throws is answered 500", async (t) => {
  const broken = filter({
    onResponse(response) {
      if (response.status === 200) throw new Error("broken filter");
    },
  });
  const { rig } = await openPair(t, answer(OK), { rule: { filters: [broken] } });
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.equal(client.responses[0]?.status, 500);
  assert.equal(rig.bugs.length, 1);
});

test("a rejected promise is answered 500", async (t) => {
  const rig = await openRig(t, { rule: { filters: [filter({ onRequest: () => Promise.reject(new Error("no")) })] } });
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.equal(client.responses[0]?.status, 500);
  assert.equal(rig.bugs.length, 1);
});

test("a backend that is invalid, or none, is answered 500 NC", async (t) => {
  const invalid = { cluster: undefined, invalid: "BackendNotFound", filters: [] };
  const rig = await openRig(t, { rule: { single: undefined, pick: () => invalid } });
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  rig.change({ rule: { single: undefined, pick: () => undefined } });
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 2, 2000, "the second answer");
  assert.equal(client.responses[1]?.status, 500);
  assert.deepEqual(
    rig.records.map(({ flag, details }) => `${flag} ${details}`),
    ["NC BackendNotFound", "NC no-backend"],
  );
});

test("what a filter noted is in the record of an exchange that goes well", async (t) => {
  const note = filter({
    onRequest(request) {
      request.setFlag("DI");
      return undefined;
    },
  });
  const { rig } = await openPair(t, answer(OK), { rule: { filters: [note] } });
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.equal((await recordOf(rig)).flag, "DI");
});

test("overload is answered 503 OM, and stopKeepAlive ends connections", async (t) => {
  const { rig } = await openPair(t, answer(OK));
  const client = await rig.client();
  rig.pressure.shed = true;
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.equal((await recordOf(rig)).flag, "OM");
  rig.pressure.shed = false;
  rig.pressure.stopKeepAlive = true;
  await client.send(GET);
  await client.signal.require(() => client.state === "ended", 2000, "the end");
  assert.equal(client.responses[1]?.status, 200);
});
