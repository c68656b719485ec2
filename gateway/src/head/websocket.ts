/**
 * The handshake of WebSocket where client and endpoint speak different versions of HTTP. HTTP/1.1 proves with a key that the other
 * side knows the protocol (RFC 6455 section 4); HTTP/2 has no such fields (RFC 8441 section 5). So the side that speaks
 * HTTP/1.1 is given what it expects here, and is held to it.
 */
import { createHash, randomBytes } from "node:crypto";
import type { RequestHead } from "./request-head.ts";
import type { ResponseHead } from "./response-head.ts";

const KEY = "sec-websocket-key";
const ACCEPT = "sec-websocket-accept";
const VERSION = "sec-websocket-version";
/** RFC 6455 section 1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Whether a head asks for WebSocket and nothing else. */
export function asksForWebSocket({ upgrade }: Pick<RequestHead, "upgrade">): boolean {
  return upgrade.length === 9 && upgrade.toLowerCase() === "websocket";
}

/** The lines a request from HTTP/2 lacks; "" for one that came over HTTP/1.1, whose client proves for itself. */
export function toHandshakeLines(head: RequestHead): string {
  if (head.version !== "HTTP/2" || !asksForWebSocket(head)) return "";
  const version = head.lookup(VERSION) === undefined ? `${VERSION}: 13\r\n` : "";
  return `${KEY}: ${randomBytes(16).toString("base64")}\r\n${version}`;
}

/** The key in lines of toHandshakeLines(). */
export function keyOfLines(lines: string): string {
  return lines.slice(KEY.length + 2, lines.indexOf("\r\n"));
}

/** What a server answers to a key (RFC 6455 section 4.2.2). */
export function toAccept(key: string): string {
  return createHash("sha1").update(`${key}${GUID}`, "latin1").digest("base64");
}

/** The answer without its accept, which answered our key; undefined where that is not the right one. */
export function checkAccept(answer: ResponseHead, key: string): ResponseHead | undefined {
  if (answer.lookup(ACCEPT) !== toAccept(key)) return undefined;
  const own = answer.own();
  own.removeHeader(ACCEPT);
  return own;
}

/** The answer as a client of HTTP/1.1 expects it: with the accept for its key, where an endpoint of HTTP/2 gave none. */
export function withAccept(answer: ResponseHead, request: RequestHead): ResponseHead {
  if (!asksForWebSocket(request) || answer.lookup(ACCEPT) !== undefined) return answer;
  const key = request.received(KEY);
  if (key === undefined) return answer;
  const own = answer.own();
  own.setHeader(ACCEPT, toAccept(key));
  return own;
}

/** Field lines without the key, which HTTP/2 does not have. */
export function withoutKey(lines: string): string {
  return lines.replace(/^sec-websocket-key:.*\r\n/gim, "");
}
