/** Retries towards endpoints that speak HTTP/2, through a whole gateway. */
import assert from "node:assert/strict";
import { constants } from "node:http2";
import { test } from "node:test";
import { answer, Http2Backend, reset, type Turn } from "./http2-backend.ts";
import { get, type RetryParts, RetryRig, withBody } from "./rig.ts";

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM } = constants;

/** GOAWAY that says it looked at the first stream alone (Node cannot say that it looked at none). */
const leave: Turn = ({ session }) => session?.goaway(0, 1);
/** A call that failed before it answered: its status is in the head. */
const unavailable: Turn = (stream) =>
  stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "14" }, { endStream: true });

function start(backend: Http2Backend, parts: Partial<RetryParts> = {}): Promise<RetryRig> {
  return RetryRig.start({ backends: [backend.port], protocol: "http2", ...parts });
}

test("a listed status is retried on the connection there is", async () => {
  await using backend = await Http2Backend.open(answer(503, "no"), answer(503, "no"), answer(200, "yes"));
  await using rig = await start(backend);
  const { status, body } = await rig.ask(withBody("POST", "hello"));
  assert.deepEqual([status, body, backend.bodies], [200, "yes", ["hello", "hello", "hello"]]);
  assert.deepEqual([backend.sessions.length, (await rig.logged()).attempts], [1, 3]);
});

test("a stream that is refused goes out again without a policy, and with one beyond that", async () => {
  const refuse = reset(NGHTTP2_REFUSED_STREAM);
  await using backend = await Http2Backend.open(refuse, refuse, refuse, refuse, refuse, answer(200));
  await using rig = await start(backend, { retry: { on: ["refused-stream"] } });
  assert.equal((await rig.ask(withBody("POST", "pay"))).status, 200);
  assert.equal((await rig.metrics()).value("sallyport_upstream_retries_total"), 2);
  assert.deepEqual(new Set(backend.bodies), new Set(["pay"]));
});

test("a request that a leaving endpoint did not look at goes out again on another connection", async () => {
  await using backend = await Http2Backend.open(answer(200), leave, answer(200));
  await using rig = await start(backend, { retry: { attempts: 0 } });
  await rig.ask();
  assert.equal((await rig.ask(withBody("POST", "pay"))).status, 200);
  assert.deepEqual([backend.bodies, backend.sessions.length], [["", "pay", "pay"], 2]);
});

test("a stream that is reset is retried for a GET and not for a POST", async () => {
  await using backend = await Http2Backend.open(
    reset(NGHTTP2_INTERNAL_ERROR),
    reset(NGHTTP2_CANCEL),
    answer(200),
    reset(NGHTTP2_INTERNAL_ERROR),
    answer(200),
  );
  await using rig = await start(backend);
  assert.equal((await rig.ask()).status, 200);
  assert.equal((await rig.logged()).attempts, 3);
  assert.equal((await rig.ask(withBody("POST", "pay"))).status, 503);
  assert.deepEqual([backend.count, (await rig.logged(1)).flag], [4, "UR"]);
});

test("a GET whose connection is lost goes out again on another one", async () => {
  await using backend = await Http2Backend.open(({ session }) => session?.destroy(), answer(200));
  await using rig = await start(backend);
  assert.equal((await rig.ask()).status, 200);
  assert.equal(backend.sessions.length, 2);
});

test("a call that is unavailable is retried where the policy says so, and its last status is the client's", async () => {
  await using backend = await Http2Backend.open(unavailable, answer(200, "yes"), unavailable);
  await using rig = await start(backend, { retry: { attempts: 1, on: ["unavailable"], statuses: [] } });
  const call = get("content-type: application/grpc\r\nte: trailers\r\n");
  assert.equal((await rig.ask(call)).body, "yes");
  const last = await rig.ask(call);
  assert.ok(last.fields.some(({ name, value }) => name.toLowerCase() === "grpc-status" && value === "14"));
  assert.deepEqual([backend.count, (await rig.logged(1)).flag], [4, "URX"]);
});

test("the long body of an answer that is retried is given up, and the connection carries on", async () => {
  const piece = Buffer.alloc(65_536);
  const pour: Turn = (stream) => {
    stream.respond({ ":status": 503 });
    const more = (): void => {
      while (!stream.destroyed && stream.write(piece));
    };
    stream.on("drain", more);
    more();
  };
  await using backend = await Http2Backend.open(pour, pour, answer(200, "yes"));
  await using rig = await start(backend);
  assert.deepEqual([(await rig.ask()).body, backend.sessions.length], ["yes", 1]);
});

test("each try has its time", async () => {
  const nothing: Turn = () => undefined;
  await using backend = await Http2Backend.open(nothing, nothing, answer(200));
  // so many, for on a busy machine those that are answered may take too long as well
  await using rig = await start(backend, { rule: { backendTimeout: 150 }, retry: { attempts: 50 } });
  assert.equal((await rig.ask()).status, 200);
  assert.ok(backend.count >= 3);
  assert.equal(backend.sessions.length, 1);
});
