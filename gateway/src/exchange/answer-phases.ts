/**
 * The phases an answer goes through on its way downstream, and what happens when there is none.
 *
 * | phase | when | a failure yields |
 * |---|---|---|
 * | passInterim | a 1xx head came | |
 * | passAnswerHead | the final head (or 101) came; here it is retried, or response filters run | 500 |
 * | endAnswer | the body is complete | |
 * | failUpstream | the try failed: it is repeated where that is safe | 502, 503 or a cut answer |
 */
import type { FaultReason } from "@sallyport/model/fault";
import type { RequestHead } from "../head/request-head.ts";
import type { ResponseHead } from "../head/response-head.ts";
import { tellClient } from "./affinity.ts";
import type { BodyFraming, BodyMode, DownstreamStream, TryProgress } from "./contract.ts";
import { changeAnswer, endEncoded } from "./changed-answer.ts";
import type { Exchange } from "./exchange.ts";
import { dropKept, isReplayable } from "./repetition.ts";
import { failExchange, filterAnswer, finishAnswer, finishExchange } from "./local-reply.ts";
import { noteAnswer, noteFailure } from "./outcomes.ts";
import { failTry, isRetried, pauseRequest } from "./retries.ts";

/** Relays a 1xx head; 100 only to a client that waits for it. */
export function passInterim(exchange: Exchange, head: ResponseHead): void {
  const { start } = exchange;
  // the endpoint has seen the request; a policy may still have it repeated
  if (exchange.rule?.retry === undefined) dropKept(exchange);
  if (start === undefined || (head.status === 100 && !start.head.expectsContinue)) return;
  start.downstream.sendInterim(head);
}

/** Sends the head of the answer downstream, after the filters that are due. */
export function passAnswerHead(exchange: Exchange, head: ResponseHead, framing: BodyFraming): BodyMode {
  const { start, dependencies } = exchange;
  noteAnswer(exchange, head);
  if (start === undefined || (exchange.rule?.retry !== undefined && isRetried(exchange, head))) return "content";
  if (isMistakable(start.head, head.status, framing)) {
    failExchange(exchange, "upgrade-refused");
    return "content";
  }
  const answer = shapeAnswer(exchange, head);
  exchange.upstreamStartedAt = dependencies.now();
  exchange.beganThisTurn = true;
  exchange.answered = true;
  if (exchange.kept !== undefined) dropKept(exchange);
  exchange.status = answer.status;
  exchange.details = "via_upstream";
  exchange.answer = answer;
  if (answer.change !== undefined && framing !== "tunnel") {
    const mode = changeAnswer(exchange, answer, framing);
    if (mode !== undefined) return mode;
  }
  return framing === "tunnel"
    ? openTunnel(exchange, answer, start.downstream)
    : sendAnswer(exchange, answer, framing, start.downstream);
}

/** The head as the client gets it: what filters make of it, with what the client has to keep. */
function shapeAnswer(exchange: Exchange, head: ResponseHead): ResponseHead {
  const filtered = exchange.ruleFilters + exchange.backendFilters > 0 ? filterAnswer(exchange, head) : head;
  return exchange.affinity === undefined ? filtered : tellClient(exchange, filtered);
}

function openTunnel(exchange: Exchange, answer: ResponseHead, downstream: DownstreamStream): BodyMode {
  exchange.phase = "tunnel";
  exchange.timers.endRequest();
  exchange.requestEnded = false;
  downstream.sendHead(answer, "tunnel", "content");
  downstream.takeBody("content");
  return "content";
}

function sendAnswer(
  exchange: Exchange,
  answer: ResponseHead,
  framing: BodyFraming,
  downstream: DownstreamStream,
): BodyMode {
  const { upstream } = exchange;
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

/** RFC 8441 section 4: a client of HTTP/2 takes any 2xx to extended CONNECT for an open tunnel; here the upstream did not switch. */
function isMistakable(request: RequestHead, status: number, framing: BodyFraming): boolean {
  const asked = request.version === "HTTP/2" && request.upgrade !== "";
  return asked && framing !== "tunnel" && status >= 200 && status < 300;
}

/** The answer is complete. An early one (before the request is) leaves it to the codec to end the connection. */
export function endAnswer(exchange: Exchange, trailers: string): void {
  if (exchange.content !== undefined && endEncoded(exchange, trailers)) return;
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

/** The try failed: the request goes out once more, on another connection or to another endpoint, where that repeats nothing. */
export function failUpstream(exchange: Exchange, reason: FaultReason, progress: TryProgress): void {
  exchange.bytesSent += exchange.upstream?.bodyBytes ?? 0;
  exchange.upstream = undefined;
  noteFailure(exchange, reason);
  if (reason === "upstream-tls-failure") exchange.upstreamFailure = exchange.connection?.failureDetail ?? "";
  if (isReplayable(exchange, reason, progress)) tryAgain(exchange, reason);
  else failTry(exchange, reason, progress);
}

function tryAgain(exchange: Exchange, reason: FaultReason): void {
  exchange.replays++;
  exchange.phase = "acquiring";
  const isUnreachable = reason === "connect-failure" || reason === "connect-timeout";
  exchange.avoids = isUnreachable ? exchange.connection?.endpoint : undefined;
  exchange.avoidedFor = reason;
  pauseRequest(exchange);
  exchange.cluster?.retries.repeat();
  exchange.cluster?.acquire(exchange, !isUnreachable);
}
