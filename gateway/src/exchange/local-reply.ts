/**
 * Answers made here, and every way an exchange ends. A fault becomes a local reply through the table of the model while
 * nothing was sent yet; afterwards the answer is cut so that the client can tell.
 */
import { FAULTS, type FaultReason, type ResponseFlag } from "@sallyport/model/fault";
import type { Filter, LocalReply } from "@sallyport/policies/filter";
import type { RequestHead } from "../head/request-head.ts";
import { reasonPhrase } from "../head/reason-phrase.ts";
import { toResponseHead, type ResponseHead } from "../head/response-head.ts";
import { closeContents } from "./contents.ts";
import { sendMade } from "./made-answer.ts";
import { DEADLINE_TRAILERS, toGrpcReply } from "./grpc.ts";
import type { Exchange } from "./exchange.ts";
import { endRetry } from "./retry-state.ts";

const PLAIN: LocalReply["headers"] = [["content-type", "text/plain; charset=utf-8"]];
/** What an exchange that ends without a word is noted as. */
const UNANSWERED = 0;

/** Ends the exchange with a fault. `detail` is for the access log; the reason where it is left out. So is `flag`: that of the reason. */
export function failExchange(
  exchange: Exchange,
  reason: FaultReason,
  detail: string = reason,
  flag: ResponseFlag = FAULTS[reason].flag,
): void {
  const { status } = FAULTS[reason];
  giveUpRequest(exchange, reason === "upstream-timeout");
  exchange.flag = flag;
  exchange.details = detail;
  if (exchange.answered && exchange.start?.downstream.retractHead() === true) exchange.answered = false;
  const downstream = exchange.start?.downstream;
  if (exchange.answered || status === UNANSWERED || downstream?.gone === true) {
    cutAnswer(exchange, reason);
    return;
  }
  sendReply(
    exchange,
    { status, headers: PLAIN, body: `${status} ${reasonPhrase(status)} (${reason})\n`, flag },
    reason,
  );
}

/** It cannot be answered any more. */
function cutAnswer(exchange: Exchange, reason: FaultReason): void {
  if (reason === "upstream-timeout" && takesStatus(exchange)) {
    exchange.trailers = DEADLINE_TRAILERS;
    finishAnswer(exchange, DEADLINE_TRAILERS);
    return;
  }
  const downstream = exchange.start?.downstream;
  // the record comes first: it reads what the codec may let go of
  finishExchange(exchange);
  downstream?.abort();
}

/** A call whose answer has begun can still be told its status, which its client understands better than a reset. */
function takesStatus({ start, phase, closes }: Exchange): boolean {
  if (start === undefined || phase !== "answering" || closes || start.downstream.gone) return false;
  return start.head.isGrpc && start.head.version === "HTTP/2";
}

/** Ends the exchange with a reply of a filter's. */
export function replyLocally(exchange: Exchange, reply: LocalReply, details: string): void {
  giveUpRequest(exchange);
  exchange.flag = reply.flag;
  exchange.details = details;
  sendReply(exchange, reply);
}

/** Ends the exchange: the client is gone. */
export function leaveExchange(exchange: Exchange): void {
  giveUpRequest(exchange);
  finishExchange(exchange);
}

/** Runs the response phases that are due, last filter first, on a copy of the head where there are any. */
export function filterAnswer(exchange: Exchange, head: ResponseHead): ResponseHead {
  const { backend, rule, start } = exchange;
  if (start === undefined) return head;
  const filtered = runResponses(backend?.filters, exchange.backendFilters, head, start.head);
  return runResponses(rule?.filters, exchange.ruleFilters, filtered, start.head);
}

function runResponses(
  filters: readonly Filter[] = [],
  due: number,
  head: ResponseHead,
  request: RequestHead,
): ResponseHead {
  let filtered = head;
  for (let i = due - 1; i >= 0; i--) {
    const filter = filters[i];
    if (filter?.onResponse === undefined || filter.concerns?.(request) === false) continue;
    filtered = filtered.own();
    filter.onResponse(filtered, request);
  }
  return filtered;
}

/** The answer was sent whole, or nobody is left: hands the record over and gives the object back. */
export function finishExchange(exchange: Exchange): void {
  const { dependencies, record } = exchange;
  exchange.bytesSent += exchange.upstream?.bodyBytes ?? 0;
  if (exchange.content !== undefined) closeContents(exchange);
  if (!exchange.requestEnded) for (const mirror of exchange.mirrors) mirror.cut();
  exchange.timers.stop();
  if (exchange.retries !== undefined) endRetry(exchange.retries);
  record.endedAt = exchange.beganThisTurn ? exchange.upstreamStartedAt : dependencies.now();
  dependencies.recorder.exchange(record);
  exchange.reset();
  dependencies.pool.push(exchange);
}

function sendReply(exchange: Exchange, made: LocalReply, reason?: FaultReason): void {
  const { start } = exchange;
  if (start === undefined) return;
  const reply = start.head.isGrpc ? toGrpcReply(made, reason) : made;
  const body = Buffer.from(reply.body, "utf8");
  const head = filterAnswer(exchange, toResponseHead(reply, body.length));
  if (sendMade(exchange, head, body)) finishAnswer(exchange);
}

/** The last byte of the answer is in the codec's hands. The record comes first: what follows may begin the next request. */
export function finishAnswer(exchange: Exchange, trailers = ""): void {
  const downstream = exchange.start?.downstream;
  finishExchange(exchange);
  downstream?.endBody(trailers);
  downstream?.flush();
}

/** Lets go of everything upstream. */
function giveUpRequest(exchange: Exchange, isLate = false): void {
  const { upstream, cluster } = exchange;
  if (upstream !== undefined) {
    exchange.bytesSent += upstream.bodyBytes;
    exchange.upstream = undefined;
    upstream.cancel(isLate);
  } else if (exchange.phase === "acquiring") cluster?.cancel(exchange);
  if (exchange.content !== undefined) closeContents(exchange);
  // a filter that is still at work may change the head later: nobody must use it again
  if (exchange.waiting && exchange.start !== undefined) exchange.start.head.abandoned = true;
  exchange.timers.stop();
}
