/** What must hold of a history, whatever its clients and backends did. */
import assert from "node:assert/strict";
import type { Asked } from "./adverse-client.ts";
import { askedIn, type History } from "./history.ts";
import { ATTEMPTS, REQUEST_TIMEOUT } from "./plot.ts";
import { answerName, pattern, type SeenTry, type Truth } from "./truth.ts";

/** What the gateway may say by itself. */
const LOCAL: ReadonlySet<number> = new Set([408, 413, 502, 503, 504]);
/** Tries that count against nothing: what no endpoint acted on, and a connection that died as it was used. */
const FREE = 4;
/** What the network takes, and a tick of the wheel. */
const SLACK = 600;

/** Every request has one outcome, which is true. */
export function judgeOutcomes(history: History, kind: "honest" | "any"): void {
  for (const asked of askedIn(history)) {
    const about = `${asked.method} ${asked.target} (${asked.end} ${asked.status})`;
    assert.notEqual(asked.end, "open", `${about}: never ends`);
    judgeAnswer(history, asked, about);
    judgeTries(history, asked, about);
    if (kind === "honest") {
      assert.equal(asked.end, "ended", about);
      assert.equal(asked.status, 200, `${about} ${asked.pieces.join("")}`);
      continue;
    }
    // who gives no windows waits as long as the gateway bears it
    const took = asked.overAt - Math.max(asked.beganAt, asked.reads === "well" ? 0 : asked.readyAt);
    assert.ok(took <= REQUEST_TIMEOUT + SLACK, `${about}: took ${took}`);
  }
}

function judgeAnswer({ truth }: History, asked: Asked, about: string): void {
  if (asked.status === 0) {
    assert.notEqual(asked.end, "ended", `${about}: an end without an answer`);
    return;
  }
  const number = asked.fields.get("x-answer");
  const body = asked.pieces.join("");
  if (number === undefined) {
    assert.ok(LOCAL.has(asked.status), `${about}: ${body}`);
    return;
  }
  const seen = truth.tries[Number(number)] ?? assert.fail(`${about}: an answer that nobody gave`);
  assert.equal(seen.target, asked.target, `${about}: the answer to another request`);
  assert.equal(asked.status, seen.status, about);
  if (asked.end === "ended") {
    assert.ok(seen.whole, `${about}: an answer that was cut looks whole`);
    assert.ok(body === pattern(answerName(seen), 0, seen.length), `${about}: another body`);
    assert.equal(asked.trailers !== undefined, seen.trailers, `${about}: trailers`);
  } else assert.ok(pattern(answerName(seen), 0, body.length) === body, `${about}: another body`);
}

function judgeTries({ truth, isNonIdempotent }: History, { target, method, length }: Asked, about: string): void {
  const tries = truth.of(target);
  assert.ok(tries.length <= 1 + ATTEMPTS + FREE, `${about}: ${tries.length} tries`);
  for (const seen of tries) judgeRequest(seen, { method, length, about });
  if (method !== "POST" || isNonIdempotent) return;
  const acted = tries.filter(({ disowned, status }) => !disowned && status < 500);
  assert.ok(acted.length <= 1, `${about}: went out ${acted.length} times`);
}

function judgeRequest(seen: SeenTry, asked: { method: string; length: number; about: string }): void {
  assert.equal(seen.method, asked.method, asked.about);
  assert.ok(seen.received <= asked.length, `${asked.about}: a longer body`);
  if (seen.complete) assert.equal(seen.received, asked.length, `${asked.about}: a shorter body`);
}

/** Copies are of requests that came, at most one each. */
export function judgeCopies(history: History): void {
  const copies: Truth = history.copied;
  for (const asked of askedIn(history)) {
    const seen = copies.of(asked.target);
    assert.ok(seen.length <= 1, `${seen.length} copies of ${asked.target}`);
    for (const copy of seen) judgeRequest(copy, { ...asked, about: `the copy of ${asked.target}` });
  }
}

/** Nobody asks for anything: nothing is counted, kept or waited for. */
export function judgeRest(history: History): void {
  assert.deepEqual(history.bugs, []);
  for (const cluster of history.clusters) {
    const { pending, endpoints, limits } = cluster.summary();
    assert.equal(pending, 0, "requests that wait");
    assert.equal(cluster.retries.active, 0, "retries");
    assert.equal(limits.requests.now, 0, "requests that are counted");
    for (const { label, streams, active } of endpoints)
      assert.deepEqual({ streams, active }, { streams: 0, active: 0 }, `${cluster.key} ${label}`);
  }
  assert.equal(history.outside.pending, 0, "the gauge of requests that wait");
  assert.deepEqual([history.kept.bytes, history.counts.keptBytes], [0, 0], "bodies that are kept");
  assert.equal(history.time.clocks.fine.count, 0, "times that are waited for");
  for (const server of history.servers) assert.equal(server.streams.size, 0, "streams of clients");
  const { pool } = history.dependencies;
  assert.equal(new Set(pool).size, pool.length, "an exchange that is twice in its pool");
}

/** All have left. */
export function judgeEnd(history: History): void {
  assert.deepEqual(history.bugs, []);
  assert.equal(history.time.clocks.coarse.count, 0, "deadlines");
  assert.equal(history.wires.size, 0, "connections");
  for (const cluster of history.clusters)
    assert.equal(cluster.summary().connections, 0, "connections that are counted");
}
