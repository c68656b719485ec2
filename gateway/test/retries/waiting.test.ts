/** What can happen while a request waits for its next try. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { toSnapshot } from "@sallyport/model/snapshot";
import { openBackend, say, SILENCE } from "./backends.ts";
import { answerOf, get, type RetryParts, RetryRig, toRetrySnapshot } from "./rig.ts";

const FOREVER = { least: 600_000, base: 600_000, max: 600_000 };
/** Long enough for a test to do something meanwhile. */
const A_WHILE = { least: 1500, base: 1500, max: 1500 };
/** Bears one retry at once. */
const ONE = { kind: "concurrent", percent: 0, minimum: 1 } as const;

test("a client that goes away gives back the place of its retry, and nothing is sent", async () => {
  await using backend = await openBackend(say(503));
  await using rig = await RetryRig.start({ backends: [backend.port], retry: { backoff: FOREVER }, budget: ONE });
  const client = await rig.open();
  await client.send(get());
  await rig.retries(1);
  assert.equal((await rig.ask()).status, 503);
  assert.equal((await rig.logged(0)).flag, "UO", "the budget is used up");
  client.reset();
  const { flag, attempts } = await rig.logged(1);
  assert.deepEqual([flag, attempts, backend.count], ["DC", 1, 2]);
  const next = await rig.open();
  await next.send(get());
  await rig.retries(2);
});

test("a request goes on as it began where its route is taken away", async () => {
  await using backend = await openBackend(say(503), say(200));
  const parts: RetryParts = { backends: [backend.port], retry: { backoff: A_WHILE } };
  await using rig = await RetryRig.start(parts);
  const client = await rig.open();
  await client.send(get());
  await rig.retries(1);
  const { resources } = toRetrySnapshot(parts);
  await rig.apply(toSnapshot([...resources.values()].filter(({ kind }) => kind !== "http-route")));
  assert.equal((await rig.ask()).status, 404);
  assert.equal((await answerOf(client)).status, 200);
});

test("a request goes on to the endpoints there were where its cluster is taken away", async () => {
  await using backend = await openBackend(say(503), say(200));
  const parts: RetryParts = { backends: [backend.port], retry: { backoff: A_WHILE } };
  await using rig = await RetryRig.start(parts);
  const client = await rig.open();
  await client.send(get());
  await rig.retries(1);
  const { resources } = toRetrySnapshot(parts);
  await rig.apply(toSnapshot([...resources.values()].filter(({ kind }) => kind === "listener")));
  assert.equal((await answerOf(client)).status, 200);
  assert.deepEqual([backend.count, (await rig.logged()).attempts], [2, 2]);
});

test("a request goes to the endpoints there are by then", async () => {
  await using before = await openBackend(say(503));
  await using after = await openBackend(say(200));
  const retry = { backoff: A_WHILE };
  await using rig = await RetryRig.start({ backends: [before.port], retry });
  const client = await rig.open();
  await client.send(get());
  await rig.retries(1);
  await rig.apply(toRetrySnapshot({ backends: [after.port], retry }));
  assert.equal((await answerOf(client)).status, 200);
  assert.equal((await rig.logged()).host, `127.0.0.1:${after.port}`);
});

test("a request that finds no endpoint any more is answered 503", async () => {
  await using backend = await openBackend(say(503), say(200));
  const retry = { backoff: A_WHILE };
  await using rig = await RetryRig.start({ backends: [backend.port], retry });
  const client = await rig.open();
  await client.send(get());
  await rig.retries(1);
  await rig.apply(toRetrySnapshot({ backends: [], retry }));
  assert.equal((await answerOf(client)).status, 503);
  assert.equal((await rig.logged()).details, "no-endpoints");
});

test("a drain lets the request have its next try", async () => {
  await using backend = await openBackend(say(503), say(200));
  await using rig = await RetryRig.start({ backends: [backend.port], retry: { backoff: A_WHILE } });
  const client = await rig.open();
  await client.send(get());
  await rig.retries(1);
  const drained = rig.gateway.drain();
  assert.equal((await answerOf(client)).status, 200);
  await drained;
});

test("a drain that is over cuts a request that still waits", async () => {
  await using backend = await openBackend(say(503), say(200));
  const drain = { minimum: 0, maximum: 300 };
  await using rig = await RetryRig.start({ backends: [backend.port], retry: { backoff: FOREVER } }, { drain });
  const client = await rig.open();
  await client.send(get());
  await rig.retries(1);
  await rig.gateway.drain();
  await client.signal.require(() => client.state !== "open", 5000, "the end");
  assert.equal(backend.count, 1);
});

test("the rest of a body that comes meanwhile arrives at the next try", async () => {
  await using backend = await openBackend(say(503), say(200));
  backend.upstream.begin((_, index) => ({
    when: index === 0 ? "head" : "complete",
    steps: say(index === 0 ? 503 : 200),
  }));
  await using rig = await RetryRig.start({ backends: [backend.port], retry: { backoff: A_WHILE } });
  const client = await rig.open();
  const rest = "x".repeat(300_000);
  await client.send(`POST / HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: ${rest.length + 5}\r\n\r\n`);
  await rig.retries(1);
  await client.send(`hello${rest}`);
  assert.equal((await answerOf(client)).status, 200);
  assert.equal(backend.bodies[1], `hello${rest}`);
});

test("a try whose time is over while it waits in line leaves the line", async () => {
  await using backend = await openBackend(SILENCE);
  await using rig = await RetryRig.start({
    backends: [backend.port],
    connections: 1,
    rule: { backendTimeout: 400 },
    retry: { attempts: 1 },
  });
  assert.deepEqual(
    (await Promise.all([rig.ask(), rig.ask()])).map(({ status }) => status),
    [504, 504],
  );
  await eventually(async () => (await rig.metrics()).value("sallyport_upstream_requests_pending") === 0);
  assert.equal(backend.count, 4);
});
