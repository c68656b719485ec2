/** Sends answers whose body is here: those made here, and those that filters put in the place of another. */
import type { ContentCoding } from "@sallyport/policies/filter";
import type { ResponseHead } from "../head/response-head.ts";
import type { Exchange } from "./exchange.ts";
import { dropKept } from "./repetition.ts";
import { coderRoom } from "./coders.ts";
import { Contents } from "./contents.ts";
import { toEncodedHead } from "./encoded-head.ts";
import { BodyEncoder } from "./encoder.ts";
import { AT_ONCE } from "./kept-gzip.ts";
import { shortBodies } from "./short-bodies.ts";

/** Whether answers of this status have no body (RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5). */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/** Sends an answer. False: its encoder will end it; otherwise all of it is in the codec's hands but the end. */
export function sendMade(exchange: Exchange, filtered: ResponseHead, made: Buffer): boolean {
  const { start } = exchange;
  if (start === undefined) return true;
  const { change } = filtered;
  exchange.status = filtered.status;
  exchange.answer = filtered;
  if (change === undefined) return sendPlain(exchange, filtered, made);
  const body = isBodiless(filtered.status) ? NOTHING : (change.body ?? made);
  const coding = body.length === 0 ? undefined : change.coding;
  if (coding === undefined) return sendPlain(exchange, withLengthOf(filtered, body), body);
  if (body.length <= AT_ONCE) {
    const encoded = shortBodies.encode(coding, body);
    return sendPlain(exchange, toEncodedHead(filtered, coding).withLength(encoded.length), encoded);
  }
  if (start.head.method === "HEAD") return sendPlain(exchange, toEncodedHead(filtered, coding), NOTHING);
  if (!coderRoom.take(coding)) return sendPlain(exchange, withLengthOf(filtered, body), body);
  encode(exchange, filtered, coding, body);
  return false;
}

const NOTHING = Buffer.alloc(0);

/** RFC 9110 section 8.6: none in 204; and what 304 would say is not known of another body. */
function withLengthOf(head: ResponseHead, body: Buffer): ResponseHead {
  return head.status === 204 || head.status === 304 ? head.withoutLength() : head.withLength(body.length);
}

function sendPlain(exchange: Exchange, head: ResponseHead, body: Buffer): true {
  const { start } = exchange;
  if (start === undefined) return true;
  const framing = body.length === 0 || start.head.method === "HEAD" ? "none" : "length";
  exchange.answered = true;
  exchange.answerEnded = true;
  exchange.answer = head;
  start.downstream.sendHead(head, framing, "content");
  if (framing === "length") {
    start.downstream.sendBody(body, 0, body.length, undefined);
    exchange.bytesSent = body.length;
  }
  return true;
}

function encode(exchange: Exchange, filtered: ResponseHead, coding: ContentCoding, body: Buffer): void {
  const head = toEncodedHead(filtered, coding);
  exchange.phase = "answering";
  exchange.answer = head;
  if (exchange.kept !== undefined) dropKept(exchange);
  const content = (exchange.content ??= new Contents());
  const encoder = (content.encoder = new BodyEncoder(exchange, coding, head, body.length));
  encoder.write(body, 0, body.length);
  encoder.end("");
}
