/** How long a copy of a request is kept that its endpoint makes slow. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toResponseHead } from "../../src/head/response-head.ts";
import { Mirror } from "../../src/exchange/mirror.ts";
import { Wheel } from "../../src/time/wheel.ts";
import { type HandStream, HandUpstream } from "../codec/hand-upstream.ts";
import { toHead } from "../http2/frame-server.ts";

const PIECE = Buffer.from("piece");
/** Seconds for which a copy may take nothing, or owe the end of its answer. */
const LIMIT = 60;

interface Begun {
  readonly mirror: Mirror;
  readonly stream: HandStream;
  readonly wait: (seconds: number) => void;
}

async function begin(): Promise<Begun> {
  const cluster = new HandUpstream();
  const wheel = new Wheel(250);
  const mirror = new Mirror(cluster, toHead("POST"), wheel);
  mirror.begin();
  const wait = (seconds: number): void => {
    for (let tick = 0; tick < seconds * 4; tick++) wheel.advance();
  };
  return { mirror, stream: await cluster.next(), wait };
}

function send(mirror: Mirror): void {
  mirror.sendBody(PIECE, 0, PIECE.length);
}

test("a copy lives as long as its request comes, and a minute longer", async () => {
  const { mirror, stream, wait } = await begin();
  for (let n = 0; n < 5; n++) {
    wait(LIMIT - 5);
    send(mirror);
  }
  mirror.endBody("");
  assert.equal(stream.content, "piece".repeat(5));
  wait(LIMIT - 5);
  assert.equal(stream.cancelled, 0);
  wait(10);
  assert.equal(stream.cancelled, 1);
});

test("an answer that trickles does not keep a copy", async () => {
  const { mirror, stream, wait } = await begin();
  mirror.endBody("");
  stream.receiver?.onAnswerHead(toResponseHead({ status: 200, headers: [] }, 0), "stream");
  for (let n = 0; n < 3; n++) {
    wait(LIMIT / 4);
    stream.receiver?.onAnswerBody(PIECE, 0, 1, undefined);
  }
  assert.equal(stream.cancelled, 0);
  wait(LIMIT / 4 + 1);
  assert.equal(stream.cancelled, 1);
});

test("an endpoint that takes a complete request piece by piece does not keep its copy", async () => {
  const { mirror, stream, wait } = await begin();
  stream.full = true;
  for (let n = 0; n < 9; n++) send(mirror);
  mirror.endBody("");
  for (let n = 0; n < 3; n++) {
    wait(LIMIT / 4);
    stream.drain();
  }
  assert.equal(stream.cancelled, 0);
  wait(LIMIT / 4 + 1);
  assert.equal(stream.cancelled, 1);
});

test("a copy that takes nothing is given up while its request still comes", async () => {
  const { mirror, stream, wait } = await begin();
  stream.full = true;
  for (let n = 0; n < 9; n++) {
    send(mirror);
    wait(LIMIT / 8);
  }
  assert.equal(stream.cancelled, 1);
});
