// Many clients and a backend that misbehaves at random, all at once: no answer ever reaches another request than its own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { RawClient } from "@sallyport/testkit/raw-client";
import type { Answer, AnswerStep } from "@sallyport/testkit/raw-upstream";
import type { Message } from "@sallyport/testkit/strict-http";
import { chunked, head } from "../protocol/case.ts";
import { openRig } from "../protocol/fixture.ts";
import type { Slot } from "../protocol/exercise.ts";
import { below, pick, seeded } from "@sallyport/testkit/random";

const SEED = 44_487;
const CLIENTS = 24;
const CONNECTIONS_EACH = 60;
const PATIENCE = 30_000;

const MANNERS = [
  "plain",
  "plain",
  "plain",
  "slow",
  "chunked",
  "until-close",
  "hints",
  "close",
  "close-unsaid",
  "surplus",
  "reset",
  "cut",
  "garbage",
  "early",
  "empty",
] as const;
type Manner = (typeof MANNERS)[number];

/** What the answer to a target is: the target again and again, so that each byte of another's answer shows. */
function bodyFor(target: string, size: number): string {
  return target.repeat(Math.ceil(size / target.length)).slice(0, size);
}

/** Targets look like /c3-17/cut/500/get: a name of its own, the manner of the answer, its size, the kind of request. */
function answerTo(request: Message): Answer {
  const [, , manner = "plain", size = "10"] = request.target.split("/");
  const body = manner === "empty" ? "" : bodyFor(request.target, Number(size));
  const whole = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const half = whole.length - Math.ceil(body.length / 2) - 1;
  const steps: Record<Manner, readonly AnswerStep[]> = {
    plain: [whole],
    slow: [{ pause: 5 }, whole.slice(0, half), { pause: 5 }, whole.slice(half)],
    chunked: [
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)};x\r\n${body}`,
      `\r\n0\r\nX-Sum: 1\r\n\r\n`,
    ],
    "until-close": [`HTTP/1.1 200 OK\r\n\r\n${body}`, { do: "end" }],
    hints: ["HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", whole],
    close: [whole.replace("OK\r\n", "OK\r\nConnection: close\r\n"), { do: "end" }],
    "close-unsaid": [whole, { do: "end" }],
    surplus: [`${whole}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`],
    reset: [{ do: "reset" }],
    cut: [whole.slice(0, half), { pause: 3 }, { do: "reset" }],
    garbage: ["HTTP/1.1 200 OK\r\nX Foo: bar\r\n\r\n"],
    early: [whole],
    empty: [whole],
  };
  return { when: manner === "early" ? "head" : "complete", steps: steps[isManner(manner) ? manner : "plain"] };
}

function isManner(word: string): word is Manner {
  return MANNERS.some((manner) => manner === word);
}

interface Tally {
  right: number;
  /** Cut or refused, as the manner asks for. */
  failed: number;
}

/** One connection: a few requests, pipelined or not, sent in pieces, sometimes left in the middle. */
async function useConnection(slot: Slot, name: string, random: () => number, tally: Tally): Promise<void> {
  const targets = Array.from({ length: 1 + below(random, 4) }, (_, index) => {
    const size = pick(random, [1, 10, 500, 20_000, 150_000]);
    return `/${name}-${index}/${pick(random, MANNERS)}/${size}/${pick(random, ["get", "get", "length", "chunks"])}`;
  });
  const bytes = targets.map(requestFor).join("");
  const client = await RawClient.open({ port: slot.port });
  const leaveAt = random() < 0.15 ? below(random, bytes.length) : bytes.length;
  for (let at = 0; at < leaveAt;) {
    const next = Math.min(leaveAt, at + 1 + below(random, random() < 0.5 ? 40 : 4000));
    await client.send(bytes.slice(at, next));
    at = next;
  }
  if (leaveAt < bytes.length) {
    if (random() < 0.5) client.reset();
  } else {
    const done = (): boolean => client.responses.filter(({ complete }) => complete).length === targets.length;
    await client.signal.until(() => done() || client.state !== "open", PATIENCE);
    assert.ok(done() || client.state !== "open", `a hang at ${targets.join(" ")}: ${client.responses.length} answers`);
  }
  check(client, targets, tally);
  client.close();
}

function requestFor(target: string): string {
  if (target.endsWith("chunks")) return chunked("3;x\r\nabc\r\n0\r\n\r\n").replace("/chunked", target);
  if (target.endsWith("length")) return `${head(`PUT ${target} HTTP/1.1`, "Content-Length: 5")}hello`;
  return head(`GET ${target} HTTP/1.1`);
}

/** Answers come in the order of the requests, and each is its own or an error. */
function check(client: RawClient, targets: readonly string[], tally: Tally): void {
  assert.equal(client.reader.problem, undefined);
  assert.ok(client.responses.length <= targets.length, "an answer nobody asked for");
  for (const [index, response] of client.responses.entries()) {
    const target = targets[index] ?? "";
    const [, , manner = "", size, kind] = target.split("/");
    if (response.status !== 200) {
      assert.ok(response.status === 502 || response.status === 503, `${response.status} for ${target}`);
      // A request with a body is not sent twice: it may have met a kept connection that ended just then.
      const mayFail = kind !== "get" || /reset|garbage|cut/.test(manner);
      assert.ok(mayFail, `${response.status} for ${target}`);
      tally.failed += 1;
      continue;
    }
    const meant = manner === "empty" ? "" : bodyFor(target, Number(size));
    if (response.complete) {
      assert.equal(response.body === meant, true, `${target} was answered ${response.body.slice(0, 80)}`);
      tally.right += 1;
    } else {
      assert.ok(meant.startsWith(response.body), `${target} began ${response.body.slice(0, 80)}`);
      tally.failed += 1;
    }
  }
}

test("no answer reaches another request than its own, whatever clients and backends do", async (t) => {
  const rig = await openRig(1);
  t.after(() => rig.close());
  const [slot] = rig.slots;
  assert.ok(slot);
  slot.upstream.begin(answerTo);
  const tally: Tally = { right: 0, failed: 0 };
  const client = async (number: number): Promise<void> => {
    const random = seeded(SEED + number);
    for (let turn = 0; turn < CONNECTIONS_EACH; turn += 1)
      await useConnection(slot, `c${number}-${turn}`, random, tally);
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
  assert.equal(rig.system?.epitaph(), undefined);
  assert.ok(tally.right > 1000, `${tally.right} right answers`);
  assert.ok(tally.failed > 100, `${tally.failed} failures`);
});
