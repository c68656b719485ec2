/**
 * The body of a request that policies limit, or want whole before the request goes upstream. One that says it is too long is refused
 * before anything of it was asked for; one that turns out to be is cut there, and so is its try.
 *
 * A whole body is kept as what retries keep: it has room in the same bounds, and every try is sent it from there.
 */
import { toResponseHead } from "../head/response-head.ts";
import { toLatin1 } from "../wire/latin1.ts";
import { Stash } from "../wire/stash.ts";
import type { Exchange } from "./exchange.ts";
import type { ExchangeStart } from "./exchange-state.ts";
import { failExchange } from "./local-reply.ts";
import { openMirrors } from "./mirror.ts";
import { Contents } from "./contents.ts";

/** Whether the request must not go upstream now: it was refused, or its body is to be whole first. */
export function holdsRequest(exchange: Exchange, start: ExchangeStart): boolean {
  const { head, downstream } = start;
  if (head.framing === "none" || exchange.bodyMode !== undefined) return false;
  if (head.framing === "length" && head.contentLength > head.bodyLimit) {
    failExchange(exchange, "body-too-large");
    return true;
  }
  const content = (exchange.content ??= new Contents());
  content.limit = head.bodyLimit;
  if (!head.waitsForBody || head.isGrpc || head.upgrade !== "") return false;
  content.gathered = new Stash();
  exchange.bodyMode = "content";
  if (head.mirrors.length > 0) exchange.mirrors = openMirrors(exchange, start);
  // RFC 9110 section 10.1.1: who waits for the whole body must ask for it
  if (head.expectsContinue) downstream.sendInterim(toResponseHead({ status: 100, headers: [] }, 0));
  downstream.takeBody("content");
  return true;
}

/** Whether a piece goes no further: it is too much, or waits with the others. */
export function holdsPiece(exchange: Exchange, bytes: Buffer, from: number, to: number): boolean {
  const { content, start, phase, dependencies, mirrors } = exchange;
  if (content === undefined || start === undefined || phase === "tunnel") return false;
  const { limit, gathered } = content;
  if (limit >= 0 && start.downstream.bodyBytes > limit) {
    failExchange(exchange, "body-too-large");
    return true;
  }
  if (gathered === undefined) return false;
  if (!dependencies.kept.takeWhole(to - from)) {
    failExchange(exchange, "overloaded", "request-bodies-full");
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
