/** Makes a RequestHead of what the parser found: target forms, authority, framing, Expect, Upgrade, identity, path. */
import type { HttpServerOptions } from "@sallyport/model/listener";
import type { DownstreamConnection } from "../exchange/contract.ts";
import { isAuthority, toHost } from "../head/authority.ts";
import { spells, toBytes } from "../head/bytes.ts";
import { ClientLines } from "../head/client-lines.ts";
import { isTrailerAllowed } from "../head/field-rules.ts";
import { normalisePath } from "../head/path-normal.ts";
import type { RequestHead } from "../head/request-head.ts";
import { toUpgrade } from "../head/upgrade-protocols.ts";
import { toLatin1 } from "../wire/latin1.ts";
import type { HeadLimits } from "./head-parser.ts";
import { refuseHead, type ParsedHead } from "./parsed-head.ts";

const SCHEMES = [toBytes("http://"), toBytes("https://")];
const SLASH = 47;
const QUESTION = 63;
const ASTERISK = 42;

/** Builds the heads of one connection. */
export class RequestBuilder {
  /** By which the heads of this connection are parsed. */
  readonly limits: HeadLimits;
  readonly #connection: DownstreamConnection;
  readonly #options: HttpServerOptions;
  readonly #client: ClientLines;
  /** The last authority and the host it gave: most requests of a connection have the same. */
  #authority = "";
  #host = "";

  constructor(connection: DownstreamConnection, options: HttpServerOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#client = new ClientLines(connection, options);
    this.limits = options.trustedProxies === undefined ? options : toLimits(options, this.#client);
  }

  /**
   * Fills `head` from a parsed head; `text` is its latin1 text without the empty line. False: it is refused after all,
   * and `parsed` says why.
   */
  build(head: RequestHead, parsed: ParsedHead, bytes: Buffer, text: string): boolean {
    const base = parsed.start;
    head.text = text;
    head.fieldsAt = parsed.fieldsAt - base;
    head.method = toMethod(bytes, parsed, text);
    head.target = text.slice(parsed.targetAt - base, parsed.targetEnd - base);
    head.targetFrom = parsed.targetAt - base;
    head.agentFrom = parsed.agentFrom < 0 ? -1 : parsed.agentFrom - base;
    head.agentTo = parsed.agentTo - base;
    head.scheme = this.#connection.scheme;
    head.version = parsed.old ? "HTTP/1.0" : "HTTP/1.1";
    head.verbatim = !parsed.old && parsed.hostFrom >= 0;
    head.redirectPath = "";
    head.hostFrom = parsed.hostFrom < 0 ? -1 : parsed.hostLineFrom - base;
    head.hostTo = parsed.hostLineTo - base;
    head.persistent = parsed.old ? parsed.keepAlive && !parsed.close : !parsed.close;
    this.#setFraming(head, parsed);
    this.#client.identify(head, parsed);
    if (this.#client.speaksForItself) cutCertificateLines(parsed);
    if (!this.#setTarget(head, parsed, bytes)) return false;
    if (parsed.rare && !setRareFields(head, parsed)) return false;
    head.cuts = base === 0 ? parsed.cuts : parsed.cuts.map((offset) => offset - base);
    return true;
  }

  #setFraming(head: RequestHead, parsed: ParsedHead): void {
    const length = parsed.contentLength;
    head.framing = parsed.chunked ? "stream" : length > 0 ? "length" : "none";
    head.contentLength = length > 0 ? length : 0;
    head.expectsContinue = false;
    head.upgrade = "";
    head.isGrpc = false;
    head.takesTrailers = false;
    head.hopFields = parsed.named;
    head.maxForwards = -1;
  }

  /** RFC 9112 section 3.2. */
  #setTarget(head: RequestHead, parsed: ParsedHead, bytes: Buffer): boolean {
    if (head.method === "CONNECT") return refuse(parsed, "unsupported-method", "CONNECT");
    const first = bytes[parsed.targetAt];
    if (first === SLASH) return this.#settle(head, parsed, head.target, this.#receivedAuthority(head, parsed));
    if (first === ASTERISK && head.target === "*" && head.method === "OPTIONS")
      return this.#settle(head, parsed, "*", this.#receivedAuthority(head, parsed));
    return this.#setAbsolute(head, parsed, bytes);
  }

  /** absolute-form; its authority replaces Host (RFC 9112 section 3.2.2). */
  #setAbsolute(head: RequestHead, parsed: ParsedHead, bytes: Buffer): boolean {
    const { targetAt, targetEnd } = parsed;
    const scheme = SCHEMES.find((word) => targetEnd - targetAt > word.length && spells(bytes, targetAt, word));
    if (scheme === undefined) return refuse(parsed, "bad-request", "invalid target");
    const from = targetAt + scheme.length;
    let to = from;
    while (to < targetEnd && bytes[to] !== SLASH && bytes[to] !== QUESTION) to++;
    if (!isAuthority(bytes, from, to)) return refuse(parsed, "bad-request", "invalid authority");
    let path = toLatin1(bytes, to, targetEnd);
    if (!path.startsWith("/")) path = path === "" && head.method === "OPTIONS" ? "*" : `/${path}`;
    // the scheme's own "//" made it suspect; look again
    head.verbatim = false;
    return this.#settle(head, parsed, path, toLatin1(bytes, from, to));
  }

  #receivedAuthority(head: RequestHead, parsed: ParsedHead): string {
    if (parsed.hostFrom < 0) return localHost(this.#connection.local);
    return head.text.slice(parsed.hostFrom - parsed.start, parsed.hostTo - parsed.start);
  }

  /** Host and path in the form that routes see. */
  #settle(head: RequestHead, parsed: ParsedHead, path: string, authority: string): boolean {
    if (authority !== this.#authority) {
      this.#authority = authority;
      this.#host = toHost(authority);
    }
    head.host = this.#host;
    let settled = path;
    if (parsed.suspect && path !== "*") {
      const normal = normalisePath(path, this.#options);
      if (normal.kind === "refused") return refuse(parsed, "bad-request", "invalid path");
      if (normal.kind === "redirect") head.redirectPath = normal.path;
      if (normal.path !== path) head.verbatim = false;
      settled = normal.path;
    }
    head.settle(settled, this.#authority);
    return true;
  }
}

/** The parser asks whether its sender is trusted, not why. */
function toLimits(options: HttpServerOptions, { isTrusted }: ClientLines): HeadLimits {
  const { maxHeadBytes, maxHeaderFields, underscores } = options;
  return { maxHeadBytes, maxHeaderFields, underscores, trustedHops: isTrusted ? 1 : 0 };
}

/** Who shows a certificate speaks for itself, whatever it is trusted to say of others. */
function cutCertificateLines(parsed: ParsedHead): void {
  const lines = parsed.certificateLines;
  for (let at = 0; at < lines.length; at += 2) parsed.cutLater(lines[at] ?? 0, lines[at + 1] ?? 0);
}

/** The methods that nearly all requests have come without an allocation. */
function toMethod(bytes: Buffer, parsed: ParsedHead, text: string): string {
  const { start, methodEnd } = parsed;
  if (methodEnd - start === 3 && bytes[start] === 71 && bytes[start + 1] === 69 && bytes[start + 2] === 84)
    return "GET";
  return text.slice(0, methodEnd - start);
}

function localHost(local: string): string {
  return local.slice(0, local.lastIndexOf(":"));
}

function setRareFields(head: RequestHead, parsed: ParsedHead): boolean {
  if (parsed.hasExpect && !parsed.old) {
    if (parsed.expect !== "100-continue") return refuse(parsed, "expectation-failed", "unknown expectation");
    head.expectsContinue = head.framing !== "none";
  }
  if (parsed.connectionUpgrade && !parsed.old && head.framing === "none") head.upgrade = toUpgrade(parsed.upgrade);
  head.takesTrailers = !parsed.old && /(?:^|[,\s])trailers(?:$|[,\s])/.test(parsed.te);
  if (parsed.trailerFrom >= 0) settleTrailer(parsed);
  head.maxForwards = parsed.maxForwards;
  if (head.maxForwards > 0) head.extra += `max-forwards: ${head.maxForwards - 1}\r\n`;
  return true;
}

/** Trailer stays where there can be trailers and it announces none that will be dropped. */
export function settleTrailer(parsed: ParsedHead): void {
  if (parsed.trailerFrom < 0) return;
  const names = parsed.trailer.split(",").map((name) => name.trim());
  if (parsed.chunked && names.every((name) => name === "" || isTrailerAllowed(name))) return;
  parsed.cutLater(parsed.trailerFrom, parsed.trailerTo);
}

function refuse(parsed: ParsedHead, fault: ParsedHead["fault"], detail: string): false {
  refuseHead(parsed, fault, detail);
  return false;
}
