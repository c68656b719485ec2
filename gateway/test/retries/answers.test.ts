/** Retries after an answer that the rule does not take for one, through a whole gateway. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { openBackend, RESET, say } from "./backends.ts";
import { answerOf, get, RetryRig, withBody } from "./rig.ts";

test("a listed status is retried on the same connection, and the client sees the last answer alone", async () => {
  await using backend = await openBackend(say(503, "no"), say(503, "no"), say(200, "yes"));
  await using rig = await RetryRig.start({ backends: [backend.port] });
  const answer = await rig.ask();
  assert.deepEqual([answer.status, answer.body], [200, "yes"]);
  const host = `127.0.0.1:${backend.port}`;
  assert.deepEqual(await rig.logged(), {
    status: 200,
    flag: "-",
    attempts: 3,
    details: "via_upstream",
    host,
    bytesSent: 3,
  });
  assert.equal(backend.upstream.connections.length, 1, "what was read and dropped left it usable");
  const metrics = await rig.metrics();
  assert.equal(metrics.value("sallyport_upstream_retries_total"), 2);
  assert.equal(metrics.value('sallyport_upstream_retried_requests_total{outcome="success"}'), 1);
});

test("a status that is not listed is the client's at once", async () => {
  await using backend = await openBackend(say(500, "broken"), say(200));
  await using rig = await RetryRig.start({ backends: [backend.port] });
  const answer = await rig.ask();
  assert.deepEqual([answer.status, answer.body, backend.count], [500, "broken", 1]);
  assert.equal((await rig.logged()).flag, "-");
});

test("once the attempts are used up the client gets the last answer, whole, with its fields", async () => {
  await using backend = await openBackend(say(503, "one"), say(503, "two"), say(503, "three", "x-turn: 3\r\n"));
  await using rig = await RetryRig.start({ backends: [backend.port] });
  const answer = await rig.ask();
  assert.deepEqual([answer.status, answer.body, backend.count], [503, "three", 3]);
  assert.ok(answer.fields.some(({ name, value }) => name === "x-turn" && value === "3"));
  const { flag, attempts, details } = await rig.logged();
  assert.deepEqual([flag, attempts, details], ["URX", 3, "via_upstream"]);
  assert.equal((await rig.metrics()).value('sallyport_upstream_retried_requests_total{outcome="exhausted"}'), 1);
});

test("a rule without retries sends everything once", async () => {
  await using backend = await openBackend(say(503), say(200));
  await using rig = await RetryRig.start({ backends: [backend.port], retry: { attempts: 0 } });
  assert.equal((await rig.ask()).status, 503);
  assert.equal(backend.count, 1);
});

test("a POST is retried with its body where the answer's status is listed", async () => {
  await using backend = await openBackend(say(503), say(200));
  await using rig = await RetryRig.start({ backends: [backend.port] });
  const body = "x".repeat(16_384);
  assert.equal((await rig.ask(withBody("POST", body))).status, 200);
  assert.deepEqual(backend.bodies, [body, body]);
});

test("a chunked body arrives whole each time, with its trailers", async () => {
  await using backend = await openBackend(say(503), say(200));
  await using rig = await RetryRig.start({ backends: [backend.port] });
  const head = "PUT / HTTP/1.1\r\nHost: shop.example.com\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n";
  assert.equal((await rig.ask(`${head}5\r\nhello\r\n6\r\n world\r\n0\r\nx-sum: 1\r\n\r\n`)).status, 200);
  assert.deepEqual(backend.bodies, ["hello world", "hello world"]);
  const trailers = backend.upstream.requests.map(({ message }) => message.trailers.length);
  assert.deepEqual(trailers, [1, 1]);
});

test("a body beyond what is kept is sent once, and the answer to it is the client's", async () => {
  await using backend = await openBackend(say(503, "too much"), say(200));
  await using rig = await RetryRig.start({ backends: [backend.port] });
  const answer = await rig.ask(withBody("POST", "x".repeat(16_385)));
  assert.deepEqual([answer.status, answer.body, backend.count], [503, "too much", 1]);
});

test("the long body of an answer that is retried is not read: its connection is closed instead", async () => {
  const length = 67_108_864;
  const piece = "x".repeat(65_536);
  await using backend = await openBackend(
    [`HTTP/1.1 503 X\r\nContent-Length: ${length}\r\n\r\n${piece}`],
    [`HTTP/1.1 503 X\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n${piece}\r\n10000\r\n${piece}\r\n`],
    say(200),
  );
  await using rig = await RetryRig.start({ backends: [backend.port] });
  assert.equal((await rig.ask()).status, 200);
  await eventually(() => backend.upstream.connections.slice(0, 2).every(({ ended, reset }) => ended || reset));
  assert.deepEqual([backend.upstream.connections.length, (await rig.logged()).bytesSent], [3, 2]);
});

test("an answer that never ends is not waited for", async () => {
  await using backend = await openBackend(["HTTP/1.1 503 X\r\nContent-Length: 5\r\n\r\nhal"], say(200));
  await using rig = await RetryRig.start({ backends: [backend.port] });
  assert.equal((await rig.ask()).status, 200);
  await eventually(() => backend.upstream.connections[0]?.ended === true || backend.upstream.connections[0]?.reset);
});

test("interim heads of a try that is retried are no answer", async () => {
  const hint = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
  await using backend = await openBackend([hint, ...say(503)], [hint, ...RESET], say(200));
  await using rig = await RetryRig.start({ backends: [backend.port] });
  const client = await rig.open();
  await client.send(get());
  assert.equal((await answerOf(client)).status, 200);
  assert.equal(client.interim.length, 2);
});

test("an interim head does not end the keeping of a body", async () => {
  await using backend = await openBackend(["HTTP/1.1 103 Early Hints\r\n\r\n", ...say(503)], say(200));
  await using rig = await RetryRig.start({ backends: [backend.port] });
  assert.equal((await rig.ask(withBody("POST", "hello"))).status, 200);
  assert.deepEqual(backend.bodies, ["hello", "hello"]);
});

test("copies for mirrors are sent once, and never retried", async () => {
  await using backend = await openBackend(say(503), say(503), say(200));
  await using mirror = await openBackend(say(503));
  await using rig = await RetryRig.start({
    backends: [backend.port],
    copies: [mirror.port],
    rule: { policies: [{ kind: "mirror", cluster: "default/copy:80", share: { numerator: 1, denominator: 1 } }] },
  });
  assert.equal((await rig.ask(withBody("POST", "hello"))).status, 200);
  await eventually(() => mirror.bodies[0] === "hello");
  assert.deepEqual([backend.count, mirror.count], [3, 1]);
});

test("a budget that bears no retries leaves the answer as it is", async () => {
  await using backend = await openBackend(say(503, "full"), say(200));
  const budget = { kind: "concurrent", percent: 0, minimum: 0 } as const;
  await using rig = await RetryRig.start({ backends: [backend.port], budget });
  const answer = await rig.ask();
  assert.deepEqual([answer.status, answer.body, backend.count], [503, "full", 1]);
  assert.deepEqual([(await rig.logged()).flag, (await rig.logged()).attempts], ["UO", 1]);
  const metrics = await rig.metrics();
  assert.equal(metrics.value('sallyport_upstream_retried_requests_total{outcome="overflow"}'), 1);
  assert.equal(metrics.value("sallyport_upstream_retries_total"), 0);
});
