/**
 * The phases an answer goes through on its way downstream, and what happens when there is none.
 *
 * | phase | when | a failure yields |
 * |---|---|---|
 * | passInterim | a 1xx head came | |
 * | passAnswerHead | the final head (or 101) came; response filters run here | 500 |
 * | endAnswer | the body is complete | |
 * | failUpstream | the try failed: it is repeated where that is safe | 502, 503 or a cut answer |
 */
import type { FaultReason } from "@sallyport/model/fault";
import type { RequestHead } from "../head/request-head.ts";
import type { ResponseHead } from "../head/response-head.ts";
import type { BodyFraming, BodyMode, TryProgress } from "./contract.ts";
import type { Exchange } from "./exchange.ts";
import { failExchange, filterAnswer, finishAnswer, finishExchange, stopTimers } from "./local-reply.ts";

/** How often a request may come back unseen before its client is told. */
const MAX_REPLAYS = 2;
/** What another connection may be better at. Who cannot be reached, or does not speak what is asked for, is the same a moment later. */
const GONE: ReadonlySet<FaultReason> = new Set(["upstream-refused", "upstream-closed", "upstream-reset"]);
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
  if (answer.closing !== undefined && framing !== "none") {
    exchange.closes = true;
    downstream.sendHead(answer.withoutLength(), "stream", "content");
    return "content";
  }
  const raw = framing === "stream" && upstream !== undefined && upstream.offersRaw && downstream.takesRaw;
  const mode: BodyMode = raw ? "raw" : "content";
  downstream.sendHead(answer, framing, mode);
  return mode;
}

/** The answer is complete. An early one (before the request is) leaves it to the codec to end the connection. */
export function endAnswer(exchange: Exchange, trailers: string): void {
  exchange.answerEnded = true;
  if (exchange.phase !== "tunnel") {
    exchange.trailers = trailers;
    const closing = exchange.answer?.closing;
    if (closing === undefined) finishAnswer(exchange, trailers);
    else closeAnswer(exchange, closing(trailers));
    return;
  }
  exchange.start?.downstream.endBody("");
  if (exchange.requestEnded) finishExchange(exchange);
}

/** Ends the answer with bytes that stand for its trailers; one without a body has said all in its head. */
function closeAnswer(exchange: Exchange, last: Uint8Array): void {
  const downstream = exchange.start?.downstream;
  if (exchange.closes && downstream !== undefined) {
    const bytes = Buffer.from(last.buffer, last.byteOffset, last.length);
    downstream.sendBody(bytes, 0, bytes.length, undefined);
    exchange.bytesSent += bytes.length;
  }
  finishAnswer(exchange);
}

/** The try failed: the request goes out once more, on another connection, where that repeats nothing. */
export function failUpstream(exchange: Exchange, reason: FaultReason, progress: TryProgress): void {
  exchange.bytesSent += exchange.upstream?.bodyBytes ?? 0;
  exchange.upstream = undefined;
  if (reason === "upstream-tls-failure") exchange.upstreamFailure = exchange.connection?.failureDetail ?? "";
  if (!isReplayable(exchange, reason, progress)) {
    failExchange(exchange, reason);
    return;
  }
  exchange.replays++;
  exchange.phase = "acquiring";
  // what comes of the body meanwhile has nowhere to go
  if (exchange.bodyMode !== undefined) exchange.start?.downstream.pauseBody();
  exchange.cluster?.acquire(exchange, true);
}

function isReplayable(exchange: Exchange, reason: FaultReason, progress: TryProgress): boolean {
  const { start, phase } = exchange;
  if (start === undefined || phase !== "forwarding" || progress === "begun") return false;
  return progress === "unseen"
    ? isUnseenReplayable(exchange, start.head, reason)
    : isSilentReplayable(exchange, start.head, reason);
}

/** Nothing was done with it, whatever it asks for: it is repeated as long as all of it is still there. */
function isUnseenReplayable(exchange: Exchange, head: RequestHead, reason: FaultReason): boolean {
  if (!GONE.has(reason) || exchange.replays >= MAX_REPLAYS) return false;
  return head.framing === "none" || !exchange.bodyBegun;
}

/**
 * A connection that had been kept idle may have died just as it was used: the request goes out once more if repeating it is
 * safe (RFC 9112 section 9.3.1).
 */
function isSilentReplayable({ reused, replays }: Exchange, head: RequestHead, reason: FaultReason): boolean {
  if (!reused || replays > 0 || (reason !== "upstream-closed" && reason !== "upstream-reset")) return false;
  return head.framing === "none" && head.upgrade === "" && IDEMPOTENT.has(head.method);
}
