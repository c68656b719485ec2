/**
 * The phases an answer goes through on its way downstream, and what happens when there is none.
 *
 * | phase | when | a failure yields |
 * |---|---|---|
 * | passInterim | a 1xx head came | |
 * | passAnswerHead | the final head (or 101) came; response filters run here | 500 |
 * | endAnswer | the body is complete | |
 * | failUpstream | the try failed: it is repeated once where that is safe | 502, 503 or a cut answer |
 */
import type { FaultReason } from "@sallyport/model/fault";
import type { ResponseHead } from "../head/response-head.ts";
import type { BodyFraming, BodyMode, TryProgress } from "./contract.ts";
import type { Exchange } from "./exchange.ts";
import { failExchange, filterAnswer, finishAnswer, finishExchange, stopTimers } from "./local-reply.ts";

/** RFC 9110 section 9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"]);

/** Relays a 1xx head; 100 only to a client that waits for it. */
export function passInterim(exchange: Exchange, head: ResponseHead): void {
  const { start } = exchange;
  if (start === undefined || (head.status === 100 && !start.head.expectsContinue)) return;
  start.downstream.sendInterim(head);
}

/** Sends the head of the answer downstream, after the filters that are due. */
export function passAnswerHead(exchange: Exchange, head: ResponseHead, framing: BodyFraming): BodyMode {
  const { start, upstream, dependencies } = exchange;
  if (start === undefined) return "content";
  const { downstream } = start;
  const answer = exchange.ruleFilters + exchange.backendFilters > 0 ? filterAnswer(exchange, head) : head;
  exchange.upstreamStartedAt = dependencies.now();
  exchange.beganThisTurn = true;
  exchange.answered = true;
  exchange.status = head.status;
  exchange.details = "via_upstream";
  exchange.answer = answer;
  if (framing === "tunnel") {
    exchange.phase = "tunnel";
    // they are limits of a request, which is answered now
    stopTimers(exchange);
    exchange.requestEnded = false;
    downstream.sendHead(answer, framing, "content");
    downstream.takeBody("content");
    return "content";
  }
  exchange.phase = "answering";
  const raw = framing === "stream" && upstream !== undefined && upstream.offersRaw && downstream.takesRaw;
  const mode: BodyMode = raw ? "raw" : "content";
  downstream.sendHead(answer, framing, mode);
  return mode;
}

/** The answer is complete. An early one (before the request is) leaves it to the codec to end the connection. */
export function endAnswer(exchange: Exchange, trailers: string): void {
  exchange.answerEnded = true;
  if (exchange.phase !== "tunnel") {
    finishAnswer(exchange, trailers);
    return;
  }
  exchange.start?.downstream.endBody("");
  if (exchange.requestEnded) finishExchange(exchange);
}

/**
 * The try failed. A connection that had been kept idle may have died just as it was used: the request goes out once more
 * on a fresh one if nothing was answered and repeating it is safe (RFC 9112 section 9.3.1).
 */
export function failUpstream(exchange: Exchange, reason: FaultReason, progress: TryProgress): void {
  exchange.bytesSent += exchange.upstream?.bodyBytes ?? 0;
  exchange.upstream = undefined;
  if (reason === "upstream-tls-failure") exchange.upstreamFailure = exchange.connection?.failureDetail ?? "";
  if (progress !== "begun" && isReplayable(exchange, reason)) {
    exchange.replayed = true;
    exchange.phase = "acquiring";
    exchange.cluster?.acquire(exchange, true);
  } else failExchange(exchange, reason);
}

function isReplayable(exchange: Exchange, reason: FaultReason): boolean {
  const { start, reused, replayed, phase } = exchange;
  if (start === undefined || !reused || replayed || phase !== "forwarding") return false;
  if (reason !== "upstream-closed" && reason !== "upstream-reset") return false;
  const { head } = start;
  return head.framing === "none" && head.upgrade === "" && IDEMPOTENT.has(head.method);
}
