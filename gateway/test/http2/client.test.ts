/** The client role of HTTP/2 against servers that do what they should, and what they should not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { ErrorCode, Flag, FrameType, readWord } from "../../src/http2/frames.ts";
import { Setting, settingsFrame } from "../../src/http2/settings.ts";
import { Asked, FrameServer, toHead } from "./frame-server.ts";

const settings = (...pairs: (readonly [number, number])[]): string => settingsFrame(pairs).slice(9);
const isReset = (id: number, code: number) => (frame: { type: number; stream: number; payload: Buffer }) =>
  frame.type === FrameType.RST_STREAM && frame.stream === id && readWord(frame.payload, 0) === code;

test("requests go out at once, side by side, and answers come in any order", async (t) => {
  const server = await FrameServer.open(t);
  const [first, second] = [await server.request(), await server.request()];
  assert.deepEqual([first.id, second.id], [1, 3]);
  const { fields } = await server.next(({ stream }) => stream === 1);
  assert.deepEqual(
    [":method", ":scheme", ":authority", ":path", "x-a"].map((name) => fields.get(name)),
    ["GET", "http", "a.test", "/p", "1"],
  );
  assert.ok(fields.has("x-request-id"));
  server.answer(3, 200, "", false);
  server.data(3, "second", true);
  await eventually(() => second.ends === 1);
  assert.equal(first.ends, 0);
  server.answer(1, 103, "link: </a>\r\n", false);
  server.answer(1, 204);
  await eventually(() => first.ends === 1);
  assert.deepEqual([second.body, first.interim, first.framing], ["second", [103], "none"]);
  assert.deepEqual(server.told, ["connected", "idle", "idle"]);
});

test("the endpoint says how many requests it takes at once", async (t) => {
  const server = await FrameServer.open(t, undefined, { maxConcurrentStreams: 50 });
  assert.equal(server.connection.capacity, 50);
  server.frame(FrameType.SETTINGS, 0, 0, settings([Setting.MAX_CONCURRENT_STREAMS, 7]));
  await eventually(() => server.capacities.at(-1) === 7);
  server.frame(FrameType.SETTINGS, 0, 0, settings([Setting.MAX_CONCURRENT_STREAMS, 900]));
  await eventually(() => server.capacities.at(-1) === 50);
});

test("GOAWAY gives back what was not seen and lets the rest finish", async (t) => {
  const server = await FrameServer.open(t);
  const [first, second] = [await server.request(), await server.request()];
  server.goaway(1);
  await eventually(() => second.over);
  assert.deepEqual(second.failure, ["upstream-refused", "unseen"]);
  server.answer(1);
  await eventually(() => first.ends === 1);
  assert.deepEqual(server.told, ["connected", "draining", "idle", "idle", "closed"]);
});

test("resets say how far a request came", async (t) => {
  const server = await FrameServer.open(t);
  const asked = [await server.request(), await server.request(), await server.request()] as const;
  server.reset(1, ErrorCode.REFUSED_STREAM);
  server.reset(3, ErrorCode.INTERNAL_ERROR);
  server.answer(5, 200, "", false);
  server.reset(5, ErrorCode.REFUSED_STREAM);
  await eventually(() => asked.every(({ over }) => over));
  assert.deepEqual(
    asked.map(({ failure }) => failure),
    [
      ["upstream-refused", "unseen"],
      ["upstream-reset", "silent"],
      ["upstream-reset", "begun"],
    ],
  );
});

test("an answer that did not need the request is whole", async (t) => {
  const server = await FrameServer.open(t);
  const asked = await server.request(toHead("POST"), "stream");
  server.answer(1, 413);
  server.reset(1, ErrorCode.NO_ERROR);
  await eventually(() => asked.over);
  assert.deepEqual([asked.head?.status, asked.ends, asked.failure], [413, 1, undefined]);
  await server.settle();
  assert.deepEqual(server.told, ["connected", "idle"]);
});

test("a slow receiver holds up its own stream alone, and gets all of it though the endpoint leaves", async (t) => {
  const server = await FrameServer.open(t, "", { streamWindow: 65_535 });
  const [slow, quick] = [await server.request(), await server.request()];
  slow.full = true;
  server.answer(1, 200, "", false);
  server.answer(3, 200, "", false);
  for (let i = 0; i < 4; i++) server.data(1, "x".repeat(16_000));
  server.data(3, "y", true);
  await eventually(() => quick.ends === 1);
  server.data(1, "", true);
  await server.settle();
  server.goaway(3);
  server.end();
  await eventually(() => server.told.includes("closed"));
  assert.ok(!slow.over && slow.body.length < 64_000);
  slow.full = false;
  slow.stream.resumeBody();
  assert.deepEqual([slow.ends, slow.body.length], [1, 64_000]);
});

test("a try that is given up is reset, and what still comes of it does no harm", async (t) => {
  const server = await FrameServer.open(t);
  const [first, second] = [await server.request(), await server.request()];
  first.stream.cancel();
  await server.next(isReset(1, ErrorCode.CANCEL));
  server.answer(1, 200, "x-new: 1\r\n", false);
  server.data(1, "late");
  server.answer(3, 200, "x-new: 1\r\n");
  await eventually(() => second.ends === 1);
  assert.equal(second.head?.header("x-new"), "1");
  assert.deepEqual([first.over, first.head], [false, undefined]);
  assert.deepEqual(server.told, ["connected", "idle", "idle"]);
});

test("extended CONNECT carries what asks for another protocol", async (t) => {
  const server = await FrameServer.open(t, settings([Setting.ENABLE_CONNECT_PROTOCOL, 1]));
  const asked = await server.request(toHead("GET", "websocket"));
  const { fields, flags } = await server.next(({ stream }) => stream === 1);
  assert.deepEqual(
    [fields.get(":method"), fields.get(":protocol"), fields.get(":path")],
    ["CONNECT", "websocket", "/p"],
  );
  assert.ok(!fields.has("sec-websocket-key") && (flags & Flag.END_STREAM) === 0);
  server.answer(1, 200, "", false);
  server.data(1, "down");
  await eventually(() => asked.body === "down");
  assert.deepEqual([asked.head?.status, asked.head?.upgrade, asked.framing], [101, "websocket", "tunnel"]);
  asked.stream.sendBody(Buffer.from("up"), 0, 2, undefined);
  asked.stream.flush();
  await server.next(({ type, payload }) => type === FrameType.DATA && payload.toString() === "up");
  server.data(1, "", true);
  await eventually(() => asked.ends === 1);
  asked.stream.endBody("");
  await eventually(() => server.told.includes("idle"));
});

test("an endpoint without extended CONNECT has not seen who asks for it", async (t) => {
  const server = await FrameServer.open(t, undefined);
  const asked = new Asked();
  const stream = server.connection.open(asked);
  stream.sendHead(toHead("GET", "websocket"), "none", "content");
  stream.endBody("");
  server.frame(FrameType.SETTINGS, 0, 0);
  await eventually(() => asked.over);
  assert.deepEqual(asked.failure, ["upgrade-refused", "unseen"]);
  assert.ok(!server.connection.upgradable);
});

test("CONNECT makes a tunnel to a host, and a refusal is an answer", async (t) => {
  const server = await FrameServer.open(t);
  const [tunnel, refused] = [await server.request(toHead("CONNECT")), await server.request(toHead("CONNECT"))];
  const { fields } = await server.next(({ stream }) => stream === 1);
  assert.deepEqual([fields.get(":authority"), fields.has(":path"), fields.has(":scheme")], ["db:5432", false, false]);
  server.answer(1, 200, "content-length: 5\r\n", false);
  server.answer(3, 403);
  await eventually(() => refused.ends === 1 && tunnel.framing === "tunnel");
  assert.deepEqual([tunnel.head?.status, refused.head?.status], [200, 403]);
});

test("a silent endpoint is asked whether it lives, and given up when it says nothing", async (t) => {
  const server = await FrameServer.open(t, "", { pingInterval: 1, pingTimeout: 250 });
  const asked = await server.request();
  await eventually(() => {
    server.coarse.advance();
    return asked.over;
  });
  assert.ok(server.frames.some(({ type, flags }) => type === FrameType.PING && flags === 0));
  assert.deepEqual(asked.failure, ["upstream-closed", "silent"]);
  assert.deepEqual(server.told, ["connected", "closed"]);
});

/** What no server may do, and whether the connection survives it. */
const WRONGS: readonly (readonly [string, "stream" | "connection", (server: FrameServer) => void])[] = [
  ["a push", "connection", (s) => s.frame(FrameType.PUSH_PROMISE, Flag.END_HEADERS, 1, "\0\0\0\x02")],
  ["HEADERS on an idle stream", "connection", (s) => s.answer(7)],
  ["HEADERS on a stream of its own", "connection", (s) => s.answer(2)],
  [
    "a block that is no HPACK",
    "connection",
    (s) => s.frame(FrameType.HEADERS, Flag.END_HEADERS, 1, "\xff\xff\xff\xff\xff\xff"),
  ],
  [
    "too much DATA",
    "stream",
    (s) => {
      s.answer(1, 200, "", false);
      for (let i = 0; i < 80; i++) s.data(1, "x".repeat(16_000));
    },
  ],
  [
    "a flood of SETTINGS",
    "connection",
    (s) => {
      for (let i = 0; i < 12_000; i++) s.frame(FrameType.SETTINGS, 0, 0);
    },
  ],
  [
    "endless CONTINUATION",
    "connection",
    (s) => {
      s.frame(FrameType.HEADERS, 0, 1, "\x88");
      for (let i = 0; i < 100; i++) s.frame(FrameType.CONTINUATION, 0, 1, "x");
    },
  ],
  ["DATA before a head", "stream", (s) => s.data(1, "x")],
  ["an end before a head", "stream", (s) => s.data(1, "", true)],
  ["no status", "stream", (s) => s.trailers(1, "a: b\r\n")],
  ["status 101", "stream", (s) => s.answer(1, 101, "", false)],
  [
    "a second head",
    "stream",
    (s) => {
      s.answer(1, 200, "", false);
      s.answer(1, 200, "", false);
    },
  ],
  [
    "less than it announced",
    "stream",
    (s) => {
      s.answer(1, 200, "content-length: 5\r\n", false);
      s.data(1, "123", true);
    },
  ],
  [
    "more than it announced",
    "stream",
    (s) => {
      s.answer(1, 200, "content-length: 1\r\n", false);
      s.data(1, "123");
    },
  ],
  ["no body of the length it announced", "stream", (s) => s.answer(1, 200, "content-length: 5\r\n")],
  [
    "endless interim heads",
    "stream",
    (s) => {
      for (let i = 0; i < 20; i++) s.answer(1, 103, "", false);
    },
  ],
  [
    "an endless head",
    "stream",
    (s) => s.answer(1, 200, `a: ${"x".repeat(15_000)}\r\n`.repeat(1) + "b: c\r\n".repeat(300)),
  ],
];

for (const [what, extent, act] of WRONGS)
  test(`an endpoint that sends ${what} fails its ${extent}`, async (t) => {
    const server = await FrameServer.open(t);
    const [victim, other] = [await server.request(), await server.request()];
    victim.full = what === "too much DATA";
    act(server);
    await eventually(() => victim.over);
    assert.equal(victim.failure?.[0], "upstream-protocol-error");
    if (extent === "connection") {
      await eventually(() => other.over && server.told.includes("closed"));
      assert.ok(server.warnings.length <= 1);
    } else {
      server.answer(3);
      await eventually(() => other.ends === 1);
      assert.ok(server.connection.connected && !server.told.includes("closed"));
    }
    assert.deepEqual(server.bugs, []);
  });

test("an answer as long as announced is whole where a reset without an error took the place of its end", async (t) => {
  const server = await FrameServer.open(t);
  const asked = [
    await server.request(),
    await server.request(toHead("POST"), "stream"),
    await server.request(),
  ] as const;
  const [slow, unread, short] = asked;
  slow.full = true;
  for (const id of [1, 3, 5]) server.answer(id, 200, "content-length: 5\r\n", false);
  for (const id of [1, 3]) server.data(id, "hello");
  server.data(5, "hell");
  for (const id of [1, 3, 5]) server.reset(id, ErrorCode.NO_ERROR);
  await eventually(() => unread.over && short.over);
  assert.deepEqual([unread.body, unread.ends, short.failure], ["hello", 1, ["upstream-reset", "begun"]]);
  assert.equal(slow.over, false);
  slow.full = false;
  slow.stream.resumeBody();
  assert.deepEqual([slow.body, slow.ends, slow.failure], ["hello", 1, undefined]);
  // a reset is not answered by another
  await server.settle();
  assert.deepEqual(server.told, ["connected", "idle", "idle", "idle"]);
});
