/**
 * Backends and clients that misbehave at random, through all that has a say in bodies and answers: whatever they do, an answer belongs to
 * its request, none that is cut looks whole, and nothing is left behind (which the rig looks for at its end).
 */
import assert from "node:assert/strict";
import { type ClientHttp2Session, connect } from "node:http2";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { Policy } from "@sallyport/model/policy";
import { compilePolicy } from "@sallyport/policies/registry";
import { eventually } from "@sallyport/testkit/eventually";
import { below, pick, seeded } from "@sallyport/testkit/random";
import type { Answer, AnswerStep } from "@sallyport/testkit/raw-upstream";
import type { Message } from "@sallyport/testkit/strict-http";
import { coderRoom } from "../../src/exchange/coders.ts";
import { compileRetry } from "../../src/retry/policy.ts";
import { openPair } from "../http1/pair.ts";
import type { Rig } from "../http1/rig.ts";
import { closeOf } from "./rig.ts";

/** FUZZ_SEEDS=FROM-TO runs others than these. */
const [FIRST = 1, LAST = 4] = (process.env["FUZZ_SEEDS"] ?? "1-4").split("-").map(Number);
const CLIENTS = 6;
const PATIENCE = 10_000;
const MOST_BODY = 2_000;

const POLICIES: readonly Policy[] = [
  { kind: "compression", codings: [{ name: "gzip" }], minimumLength: 100, contentTypes: ["text/plain"] },
  {
    kind: "response-override",
    overrides: [
      {
        statuses: [{ from: 500, to: 500 }],
        source: "any",
        status: 503,
        headers: [{ name: "x-override", value: "1" }],
      },
    ],
  },
  { kind: "request-body", maxBytes: MOST_BODY, whole: true },
];
const RETRY = compileRetry({
  attempts: 2,
  on: ["5xx", "reset"],
  statuses: [],
  backoff: { least: 0, base: 1, max: 1 },
});

const MANNERS = [
  "plain",
  "chunked",
  "trailers",
  "hints",
  "until-close",
  "slow",
  "early",
  "failed",
  "silent",
  "reset",
  "cut",
  "ended",
  "cut-chunk",
  "cut-until-close",
  "garbage",
  "many-hints",
] as const;
type Manner = (typeof MANNERS)[number];
/** What never comes whole. */
const CUT: ReadonlySet<string> = new Set<Manner>(["cut", "ended", "cut-chunk", "cut-until-close"]);

/** What the answer to a target is: the target again and again, so that each byte of another's answer shows. */
function bodyFor(target: string): string {
  const size = Number(target.split("/")[3]);
  return target.repeat(Math.ceil(size / target.length)).slice(0, size);
}

/** Targets look like /3-17/cut/500: a name of its own, the manner of the answer, its size. */
function answerTo({ target }: Message): Answer {
  const [, , manner = "plain"] = target.split("/");
  const body = bodyFor(target);
  const type = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
  const whole = `${type}Content-Length: ${body.length}\r\n\r\n${body}`;
  const half = whole.length - Math.ceil(body.length / 2);
  const chunk = `${type}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n`;
  const hint = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
  const steps: Record<Manner, readonly AnswerStep[]> = {
    plain: [whole],
    chunked: [`${chunk}0\r\n\r\n`],
    trailers: [chunk, `0\r\nX-Sum: 1\r\n\r\n`],
    hints: [hint, whole],
    "until-close": [`${type}\r\n${body}`, { do: "end" }],
    slow: [whole.slice(0, half), { pause: 3 }, whole.slice(half)],
    early: [whole],
    failed: ["HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno"],
    silent: [],
    reset: [{ do: "reset" }],
    cut: [whole.slice(0, half), { pause: 2 }, { do: "reset" }],
    ended: [whole.slice(0, half), { do: "end" }],
    "cut-chunk": [chunk.slice(0, -7), { pause: 2 }, { do: "end" }],
    "cut-until-close": [`${type}\r\n${body}`, { pause: 2 }, { do: "reset" }],
    garbage: ["HTTP/1.1 200 OK\r\nX Foo: bar\r\n\r\n"],
    "many-hints": [hint.repeat(40), whole],
  };
  return { when: manner === "early" ? "head" : "complete", steps: steps[manner as Manner] };
}

interface Asked {
  readonly target: string;
  readonly body: string;
  readonly zips: boolean;
}

function toAsked(random: () => number, name: string): Asked {
  const target = `/${name}/${pick(random, MANNERS)}/${pick(random, [50, 500, 20_000, 90_000])}`;
  const body = random() < 0.5 ? "" : "b".repeat(pick(random, [1, 100, 1_900, 5_000]));
  return { target, body, zips: random() < 0.5 };
}

/** What came, and whether its end was seen. */
interface Came {
  readonly status: number;
  readonly coding: string | undefined;
  readonly bytes: Buffer;
  readonly complete: boolean;
}

function judge({ target, body }: Asked, { status, coding, bytes, complete }: Came): void {
  const [, , manner = ""] = target.split("/");
  if (status !== 200) {
    assert.ok([413, 502, 503, 504].includes(status), `${status} for ${target}`);
    if (status === 413) assert.ok(body.length > MOST_BODY, target);
    return;
  }
  const meant = bodyFor(target);
  assert.ok(!(complete && CUT.has(manner)), `${target} was cut and looks whole`);
  if (complete) assert.equal((coding === "gzip" ? gunzipSync(bytes) : bytes).toString(), meant, target);
  else if (coding === undefined) assert.ok(meant.startsWith(bytes.toString()), `${target} began otherwise`);
}

/** Requests one behind the other on one connection, sometimes left in the middle. */
async function useHttp1(rig: Rig, random: () => number, name: string): Promise<void> {
  const asked = Array.from({ length: 1 + below(random, 4) }, (_, n) => toAsked(random, `${name}-${n}`));
  const text = asked.map(toText).join("");
  const client = await rig.client();
  const leaves = random() < 0.3;
  await client.send(leaves ? text.slice(0, below(random, text.length)) : text);
  const isDone = (): boolean => client.responses.filter(({ complete }) => complete).length === asked.length;
  if (leaves && random() < 0.5) client.reset();
  else {
    if (leaves) client.end();
    await client.signal.require(() => isDone() || client.state !== "open", PATIENCE, `answers to ${name}`);
  }
  assert.equal(client.reader.problem, undefined, name);
  assert.ok(client.responses.length <= asked.length, `${name}: an answer nobody asked for`);
  for (const [n, one] of client.responses.entries()) {
    const coding = one.fields.find((field) => field.name.toLowerCase() === "content-encoding")?.value;
    const came = { status: one.status, coding, bytes: Buffer.from(one.body, "latin1"), complete: one.complete };
    judge(asked[n] ?? assert.fail(), came);
  }
  client.close();
}

function toText({ target, body, zips }: Asked): string {
  const length = body === "" ? "" : `Content-Length: ${body.length}\r\n`;
  return `${body === "" ? "GET" : "PUT"} ${target} HTTP/1.1\r\nHost: x\r\n${length}${zips ? "Accept-Encoding: gzip\r\n" : ""}\r\n${body}`;
}

/** Streams at once on one connection, some of which are cancelled. */
async function useHttp2(rig: Rig, random: () => number, name: string): Promise<void> {
  const session = connect(`http://127.0.0.1:${rig.port}`);
  session.on("error", () => undefined);
  const count = 1 + below(random, 6);
  await Promise.all(
    Array.from({ length: count }, (_, n) => useStream(session, toAsked(random, `${name}-${n}`), below(random, 30))),
  );
  session.destroy();
}

async function useStream(session: ClientHttp2Session, asked: Asked, luck: number): Promise<void> {
  const { target, body, zips } = asked;
  const coding = zips ? { "accept-encoding": "gzip" } : {};
  const head = { ":method": body === "" ? "GET" : "PUT", ":path": target, ...coding };
  const stream = session.request(head, { endStream: body === "" });
  const came = { status: 0, coding: undefined as string | undefined, pieces: [] as Buffer[], complete: false };
  stream.on("error", () => undefined);
  stream.on("response", (fields) => {
    came.status = Number(fields[":status"]);
    came.coding = fields["content-encoding"];
    if (luck === 1) stream.close(8);
  });
  stream.on("data", (piece: Buffer) => {
    came.pieces.push(piece);
    if (luck === 2) stream.close(8);
  });
  stream.on("end", () => (came.complete = luck > 2 && stream.rstCode === 0));
  if (body !== "") stream.end(body);
  if (luck === 0) setImmediate(() => stream.close(8));
  if (!stream.closed) await closeOf(stream);
  if (came.status !== 0) judge(asked, { ...came, bytes: Buffer.concat(came.pieces) });
  else assert.ok(luck <= 2 || stream.rstCode !== 0, `${target} ended without an answer`);
}

test(`whatever backends and clients do, answers are whole or seen to be cut (seeds ${FIRST} to ${LAST})`, async (t) => {
  const capabilities = { random: Math.random, delay: () => Promise.resolve(), page: () => assert.fail() };
  const filters = POLICIES.map((policy) => compilePolicy(policy, capabilities));
  const { rig } = await openPair(t, answerTo, { rule: { filters, backendTimeout: 200, retry: RETRY } });
  const clock = setInterval(() => rig.advance(8), 2);
  t.after(() => clearInterval(clock));
  for (let seed = FIRST; seed <= LAST; seed++) {
    const turns = Array.from({ length: CLIENTS }, async (_, n) => {
      const random = seeded(seed * 100 + n);
      await (n % 2 === 0 ? useHttp1 : useHttp2)(rig, random, `${seed}-${n}`);
    });
    await Promise.all(turns).catch((error: unknown) => {
      throw new Error(`seed ${seed}`, { cause: error });
    });
  }
  assert.deepEqual(rig.bugs, []);
  await eventually(() => rig.kept.bytes === 0 && coderRoom.taken === 0, { what: "no kept bodies and no coders" });
});
