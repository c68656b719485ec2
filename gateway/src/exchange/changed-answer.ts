/** Answers of endpoints whose body filters have changed: another takes its place, or it is sent in another coding. */
import type { ContentCoding } from "@sallyport/policies/filter";
import type { ResponseHead } from "../head/response-head.ts";
import type { BodyFraming, BodyMode } from "./contract.ts";
import type { Exchange } from "./exchange.ts";
import { finishAnswer } from "./local-reply.ts";
import { coderRoom } from "./coders.ts";
import { Contents } from "./contents.ts";
import { toEncodedHead } from "./encoded-head.ts";
import { BodyEncoder } from "./encoder.ts";
import { isBodiless, sendMade } from "./made-answer.ts";

/** Sends the head of a changed answer; undefined where it can go on as any other. */
export function changeAnswer(exchange: Exchange, head: ResponseHead, framing: BodyFraming): BodyMode | undefined {
  const { change } = head;
  const isHead = exchange.start?.head.method === "HEAD";
  if (losesBody(head, isHead)) {
    replaceAnswer(exchange, head);
    return "content";
  }
  // where a status that has no body became one that has: the length was that of another answer
  if (framing === "none" && !isHead) head.withoutLength();
  const coding = change?.coding;
  if (coding === undefined || head.closing !== undefined) return undefined;
  if (isHead) return sendEncodedHead(exchange, head, coding);
  if (framing === "none" || !coderRoom.take(coding)) return undefined;
  return beginEncoding(exchange, head, coding, framing === "length" ? head.bodyLength : undefined);
}

/** Whether what the endpoint has to say is dropped. */
function losesBody({ change, status }: ResponseHead, isHead: boolean): boolean {
  return change?.body !== undefined || (isBodiless(status) && !isHead);
}

/** What a GET would have been told. */
function sendEncodedHead(exchange: Exchange, head: ResponseHead, coding: ContentCoding): BodyMode {
  exchange.phase = "answering";
  exchange.answer = toEncodedHead(head, coding);
  exchange.start?.downstream.sendHead(exchange.answer, "none", "content");
  return "content";
}

function beginEncoding(
  exchange: Exchange,
  head: ResponseHead,
  coding: ContentCoding,
  length: number | undefined,
): BodyMode {
  exchange.phase = "answering";
  // it waits for the body
  exchange.answered = false;
  exchange.answer = toEncodedHead(head, coding);
  const content = (exchange.content ??= new Contents());
  content.encoder = new BodyEncoder(exchange, coding, exchange.answer, length);
  return "content";
}

/** The endpoint's part is over: what comes of its body is of no use. */
function replaceAnswer(exchange: Exchange, head: ResponseHead): void {
  const { upstream } = exchange;
  exchange.phase = "answering";
  exchange.upstream = undefined;
  exchange.timers.endTry();
  upstream?.discard();
  if (sendMade(exchange, head, Buffer.alloc(0))) finishAnswer(exchange);
}

/** The endpoint's answer is complete where an encoder is at work: that ends the exchange when it has caught up. */
export function endEncoded(exchange: Exchange, trailers: string): boolean {
  const encoder = exchange.content?.encoder;
  if (encoder === undefined) return false;
  // its connection may serve another request from now on
  exchange.upstream = undefined;
  exchange.timers.endTry();
  exchange.trailers = trailers;
  encoder.end(trailers);
  return true;
}
