/**
 * The body of a request that policies limit, or want whole before the request goes upstream. One that says it is too long is refused
 * before anything of it was asked for; one that turns out to be is cut there, and so is its try.
 *
 * A whole body becomes what retries keep: every try is sent it from there. It has room among those that wait to be whole.
 */
import { toResponseHead } from "../head/response-head.ts";
import { toLatin1 } from "../wire/latin1.ts";
import { Stash } from "../wire/stash.ts";
import { noteShortage, takeRoom } from "./body-room.ts";
import type { Exchange } from "./exchange.ts";
import type { ExchangeStart } from "./exchange-state.ts";
import { failExchange } from "./local-reply.ts";
import { openMirrors } from "./mirror.ts";
import { Contents } from "./contents.ts";

/** For the access log: there is no room for the body. */
const FULL = "request-bodies-full";

/** Whether the request must not go upstream now: it was refused, or its body is to be whole first. */
export function holdsRequest(exchange: Exchange, start: ExchangeStart): boolean {
  const { head } = start;
  if (head.framing === "none" || exchange.bodyMode !== undefined) return false;
  if (head.framing === "length" && head.contentLength > head.bodyLimit) {
    failExchange(exchange, "body-too-large");
    return true;
  }
  const content = (exchange.content ??= new Contents());
  content.limit = head.bodyLimit;
  if (!head.waitsForBody || head.isGrpc || head.upgrade !== "") return false;
  gather(exchange, start, content);
  return true;
}

/** Asks for the body. One that no room will ever do for is not asked for. */
function gather(exchange: Exchange, start: ExchangeStart, content: Contents): void {
  const { head, downstream } = start;
  if (head.framing === "length" && !exchange.dependencies.kept.whole.fits(head.contentLength)) {
    noteShortage(exchange, "whole");
    failExchange(exchange, "overloaded", FULL);
    return;
  }
  content.gathered = new Stash();
  exchange.bodyMode = "content";
  if (head.mirrors.length > 0) exchange.mirrors = openMirrors(exchange, start);
  // RFC 9110 section 10.1.1: who waits for the whole body must ask for it
  if (head.expectsContinue) downstream.sendInterim(toResponseHead({ status: 100, headers: [] }, 0));
  downstream.takeBody("content");
}

/** Whether a piece goes no further: it is too much, or waits with the others. */
export function holdsPiece(exchange: Exchange, bytes: Buffer, from: number, to: number): boolean {
  const { content, start, phase, mirrors } = exchange;
  if (content === undefined || start === undefined || phase === "tunnel") return false;
  const { limit, gathered } = content;
  if (limit >= 0 && start.downstream.bodyBytes > limit) {
    failExchange(exchange, "body-too-large");
    return true;
  }
  if (gathered === undefined) return false;
  if (!takeRoom(exchange, "whole", to - from)) {
    failExchange(exchange, "overloaded", FULL);
    return true;
  }
  gathered.append(bytes, from, to);
  for (let i = 0; i < mirrors.length; i++) mirrors[i]?.sendBody(bytes, from, to);
  return true;
}

/** Whether this end made the body whole: the request can go upstream now. */
export function completesBody(exchange: Exchange, trailers: string): boolean {
  const { content, start } = exchange;
  const gathered = content?.gathered;
  if (content === undefined || start === undefined || gathered === undefined) return false;
  const { bytes, from, to } = gathered;
  content.gathered = undefined;
  exchange.kept = bytes === undefined ? "" : toLatin1(bytes, from, to);
  content.head = start.head.whole(trailers === "" ? to - from : undefined);
  return true;
}
