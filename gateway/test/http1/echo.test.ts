/**
 * Forty clients pipeline echo requests of all framings in random pieces; node's own server is the judge of what is sent
 * upstream, and answers in all framings, in random pieces.
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { test, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { RawClient } from "@sallyport/testkit/raw-client";
import { openRig } from "./rig.ts";

const CLIENTS = 40;
const REQUESTS = 8;
const SIZES = [0, 1, 100, 5000, 70_000, 200_000];
const MODES = ["length", "chunked", "length", "close", "204"] as const;

interface Job {
  readonly mode: (typeof MODES)[number];
  readonly body: string;
  readonly chunked: boolean;
}

/** A seeded generator (a linear congruence): the same seed, the same run. */
function toRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 8) % below;
  };
}

function toRequest(job: Job, random: (below: number) => number): string {
  const head = `POST /e?mode=${job.mode} HTTP/1.1\r\nHost: example.com\r\nConnection: keep-alive, x-drop\r\nX-Drop: 1\r\n`;
  if (!job.chunked) return `${head}Content-Length: ${job.body.length}\r\n\r\n${job.body}`;
  let text = `${head}Transfer-Encoding: chunked\r\n\r\n`;
  for (let at = 0; at < job.body.length;) {
    const size = Math.min(job.body.length - at, 1 + random(20_000));
    text += `${size.toString(16)}${random(2) === 0 ? ";x=y" : ""}\r\n${job.body.slice(at, at + size)}\r\n`;
    at += size;
  }
  return text + (random(2) === 0 ? "0\r\n\r\n" : "0;e\r\nX-T: 1\r\n\r\n");
}

async function serveEcho(t: TestContext, random: (below: number) => number): Promise<{ port: number; ids: string[] }> {
  const ids: string[] = [];
  const server = createServer((request, response) => {
    ids.push(String(request.headers["x-request-id"]));
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => void reply(request, response, Buffer.concat(parts), random));
  });
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const address = server.address();
  return { port: typeof address === "object" && address !== null ? address.port : 0, ids };
}

async function reply(
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  random: (below: number) => number,
): Promise<void> {
  const hash = createHash("sha1").update(body).digest("hex");
  const headers = { "x-hash": hash, "x-dropped": String(request.headers["x-drop"] === undefined) };
  switch (new URL(request.url ?? "", "http://x").searchParams.get("mode")) {
    case "length":
      response.writeHead(200, { ...headers, "content-length": body.length }).end(body);
      break;
    case "chunked":
      response.writeHead(200, headers);
      for (let at = 0; at < body.length;) {
        const size = 1 + random(30_000);
        response.write(body.subarray(at, at + size));
        at += size;
        if (random(4) === 0) await setImmediate();
      }
      response.end();
      break;
    case "close":
      request.socket.write(`HTTP/1.1 200 OK\r\nx-hash: ${hash}\r\nx-dropped: true\r\n\r\n`);
      request.socket.end(body);
      break;
    default:
      response.writeHead(204, headers).end();
  }
}

async function sendInPieces(client: RawClient, text: string, random: (below: number) => number): Promise<void> {
  for (let at = 0; at < text.length;) {
    const size = random(3) === 0 ? 1 + random(5) : 1 + random(40_000);
    await client.send(text.slice(at, at + size));
    at += size;
  }
}

for (const seed of [1, 2]) {
  test(`every body comes back as it was sent, in order (seed ${seed})`, async (t) => {
    const random = toRandom(seed);
    const content = randomBytes(100_000).toString("hex");
    const judge = await serveEcho(t, random);
    const rig = await openRig(t, { upstream: judge.port });
    const runs = Array.from({ length: CLIENTS }, async () => {
      const client = await rig.client();
      const jobs = Array.from({ length: REQUESTS }, (): Job => {
        const size = SIZES[random(SIZES.length)] ?? 0;
        return { mode: MODES[random(MODES.length)] ?? "204", body: content.slice(0, size), chunked: random(2) === 1 };
      });
      const sending = sendInPieces(client, jobs.map((job) => toRequest(job, random)).join(""), random);
      await client.signal.require(() => client.responses.length === REQUESTS && client.reader.idle, 20_000, "answers");
      await sending;
      for (const [i, job] of jobs.entries()) checkAnswer(client, i, job);
    });
    await Promise.all(runs);
    assert.equal(judge.ids.length, CLIENTS * REQUESTS);
    assert.equal(new Set(judge.ids).size, judge.ids.length);
    assert.equal(rig.records.length, judge.ids.length);
    assert.deepEqual(rig.bugs, []);
  });
}

function checkAnswer(client: RawClient, index: number, job: Job): void {
  const response = client.responses[index];
  const field = (wanted: string): string | undefined =>
    response?.fields.find(({ name }) => name.toLowerCase() === wanted)?.value;
  assert.equal(response?.status, job.mode === "204" ? 204 : 200);
  assert.equal(field("x-hash"), createHash("sha1").update(job.body).digest("hex"));
  assert.equal(field("x-dropped"), "true");
  if (job.mode !== "204") assert.ok(response?.body === job.body, `body ${job.mode} ${job.body.length}`);
}
