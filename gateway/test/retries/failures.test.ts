/** Retries after a try without an answer, through a whole gateway. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AnswerStep } from "@sallyport/testkit/raw-upstream";
import { findClosedPort, openBackend, RESET, say, SILENCE } from "./backends.ts";
import { answerOf, get, RetryRig, withBody } from "./rig.ts";

const CLOSED: readonly AnswerStep[] = [{ do: "end" }];
const GARBAGE: readonly AnswerStep[] = ["what do you mean\r\n\r\n"];

for (const [what, turn] of Object.entries({ reset: RESET, closed: CLOSED, "no HTTP": GARBAGE })) {
  test(`a GET whose connection is ${what} before an answer goes out again`, async () => {
    await using backend = await openBackend(turn, turn, say(200));
    await using rig = await RetryRig.start({ backends: [backend.port] });
    assert.equal((await rig.ask()).status, 200);
    assert.deepEqual([backend.count, (await rig.logged()).attempts], [3, 3]);
  });
}

test("the last fault is the client's once the attempts are used up", async () => {
  await using backend = await openBackend(RESET);
  await using rig = await RetryRig.start({ backends: [backend.port] });
  assert.equal((await rig.ask()).status, 503);
  const { flag, attempts, details } = await rig.logged();
  assert.deepEqual([flag, attempts, details], ["URX", 3, "upstream-reset"]);
});

test("a POST that a backend may have acted on goes out once", async () => {
  await using backend = await openBackend(RESET, say(200));
  await using rig = await RetryRig.start({ backends: [backend.port] });
  assert.equal((await rig.ask(withBody("POST", "pay"))).status, 503);
  assert.deepEqual([backend.count, (await rig.logged()).flag], [1, "UR"]);
});

test("a PUT goes out again with its body", async () => {
  await using backend = await openBackend(RESET, say(200));
  await using rig = await RetryRig.start({ backends: [backend.port] });
  assert.equal((await rig.ask(withBody("PUT", "hello"))).status, 200);
  assert.deepEqual(backend.bodies, ["hello", "hello"]);
});

test("of two endpoints of which one refuses connections, the other answers every request", async () => {
  await using backend = await openBackend(say(200));
  const backends = [await findClosedPort(), backend.port];
  await using rig = await RetryRig.start({ backends, retry: { attempts: 100 } });
  for (let asked = 0; asked < 10; asked++) assert.equal((await rig.ask()).status, 200);
  assert.equal(backend.count, 10);
});

test("of two endpoints the one that failed is not tried again", async () => {
  await using bad = await openBackend(say(503));
  await using good = await openBackend(say(200));
  await using rig = await RetryRig.start({ backends: [bad.port, good.port], retry: { attempts: 1 } });
  for (let asked = 0; asked < 20; asked++) assert.equal((await rig.ask()).status, 200);
  assert.equal(good.count, 20);
  assert.ok(bad.count > 0);
});

test("where nobody takes connections each try fails, and the client is told", async () => {
  await using rig = await RetryRig.start({ backends: [await findClosedPort()] });
  assert.equal((await rig.ask()).status, 503);
  const { flag, details } = await rig.logged();
  assert.deepEqual([flag, details], ["URX", "connect-failure"]);
});

test("the time of a backend is each try's", async () => {
  await using backend = await openBackend(SILENCE, SILENCE, say(200));
  // so many, for on a busy machine those that are answered may take too long as well
  const retry = { attempts: 50 };
  await using rig = await RetryRig.start({ backends: [backend.port], rule: { backendTimeout: 150 }, retry });
  assert.equal((await rig.ask()).status, 200);
  assert.ok((await rig.logged()).attempts >= 3);
});

test("tries that all take too long end with 504", async () => {
  await using backend = await openBackend(SILENCE);
  await using rig = await RetryRig.start({ backends: [backend.port], rule: { backendTimeout: 100 } });
  assert.equal((await rig.ask()).status, 504);
  const { flag, attempts } = await rig.logged();
  assert.deepEqual([flag, attempts], ["URX", 3]);
});

test("the time of a request is that of all tries, and ends it with 504 in the middle of one", async () => {
  await using backend = await openBackend(RESET, SILENCE);
  await using rig = await RetryRig.start({ backends: [backend.port], rule: { requestTimeout: 1000 } });
  assert.equal((await rig.ask()).status, 504);
  const { flag, attempts } = await rig.logged();
  assert.deepEqual([flag, attempts, backend.count], ["UT", 2, 2]);
});

test("the time of a request ends it with 504 in the middle of a wait", async () => {
  await using backend = await openBackend(say(503));
  await using rig = await RetryRig.start({
    backends: [backend.port],
    rule: { requestTimeout: 1000 },
    retry: { backoff: { least: 60_000, base: 60_000, max: 60_000 } },
  });
  assert.equal((await rig.ask()).status, 504);
  const { flag, attempts } = await rig.logged();
  assert.deepEqual([flag, attempts, backend.count], ["UT", 1, 1]);
});

test("an upgrade is tried again where no connection came up, and its tunnel works", async () => {
  await using backend = await openBackend([
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n",
    { do: "echo" },
  ]);
  await using rig = await RetryRig.start({ backends: [await findClosedPort(), backend.port] });
  for (let asked = 0; asked < 4; asked++) {
    const client = await rig.open();
    await client.send(get("Connection: upgrade\r\nUpgrade: chat\r\n"));
    await client.signal.require(() => client.received.startsWith("HTTP/1.1 101"), 5000, "the switch");
    client.reader.openTunnel();
    await client.send("ping");
    await client.signal.require(() => client.received.endsWith("ping"), 5000, "the echo");
    client.close();
  }
});

test("an upgrade that was answered is not tried again, whatever the answer", async () => {
  await using backend = await openBackend(say(503), say(200));
  await using rig = await RetryRig.start({ backends: [backend.port] });
  const client = await rig.open();
  await client.send(get("Connection: upgrade\r\nUpgrade: chat\r\n"));
  assert.equal((await answerOf(client)).status, 503);
  assert.equal(backend.count, 1);
});
