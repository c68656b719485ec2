/** Makes a ResponseHead of what the parser found, and what its framing says. The last one of each endpoint is remembered. */
import type { UpstreamEndpoint } from "../cluster/contract.ts";
import type { BodyFraming } from "../exchange/contract.ts";
import { ResponseHead } from "../head/response-head.ts";
import { toLatin1 } from "../wire/latin1.ts";
import { CR, LF } from "../head/bytes.ts";
import type { HeadParser } from "./head-parser.ts";
import type { ParsedHead } from "./parsed-head.ts";
import { settleTrailer } from "./request-builder.ts";

/** Heads longer than this are not remembered. */
const MAX_REMEMBERED = 4096;

/** An answer's head and what the codec needs of it. */
export interface AnswerFacts {
  readonly head: ResponseHead;
  /** As received, without the empty line. */
  readonly text: string;
  /** -1 where there is none. */
  readonly contentLength: number;
  readonly chunked: boolean;
  /** The connection may be used again. */
  readonly persistent: boolean;
  /** Connection named upgrade. */
  readonly switching: boolean;
  /** Fields that Connection listed, lower case. */
  readonly hopFields: readonly string[];
}

/** Reads heads of answers of one endpoint; the same head twice is parsed once. */
export class AnswerReader {
  /** Of the head read last. */
  facts: AnswerFacts = NOTHING;
  #last: AnswerFacts = NOTHING;
  static readonly #readers = new WeakMap<UpstreamEndpoint, AnswerReader>();

  /** The reader that all connections to an endpoint share. */
  static of(endpoint: UpstreamEndpoint): AnswerReader {
    const known = AnswerReader.#readers.get(endpoint);
    if (known !== undefined) return known;
    const reader = new AnswerReader();
    AnswerReader.#readers.set(endpoint, reader);
    return reader;
  }

  /** The offset behind the head in bytes[from, end), 0 where it is incomplete, -1 where it is refused. */
  read(parser: HeadParser, bytes: Buffer, from: number, end: number): number {
    const last = this.#last;
    const to = from + last.text.length;
    let text = "";
    if (last !== NOTHING && end - to >= 2 && bytes[to] === CR && bytes[to + 1] === LF) {
      text = toLatin1(bytes, from, to);
      if (text === last.text) {
        this.facts = last;
        return to + 2;
      }
    }
    const behind = parser.response(bytes, from, end);
    if (behind <= 0) return behind;
    if (behind !== to + 2 || text === "") text = toLatin1(bytes, from, parser.head.end);
    this.facts = toFacts(parser.head, text);
    if (text.length <= MAX_REMEMBERED && parser.head.status >= 200) this.#last = this.facts;
    return behind;
  }
}

/** How the body of an answer is framed (RFC 9112 section 6.3). `stream` without chunked: until the connection closes. */
export function answerFraming(facts: AnswerFacts, method: string): BodyFraming {
  const { status } = facts.head;
  if (status === 101 || (method === "CONNECT" && status >= 200 && status < 300)) return "tunnel";
  if (method === "HEAD" || status === 204 || status === 304) return "none";
  if (facts.chunked || facts.contentLength < 0) return "stream";
  return facts.contentLength === 0 ? "none" : "length";
}

/** Whether a 101 switches to something that was asked for. */
export function isExpectedSwitch(facts: AnswerFacts, asked: string): boolean {
  if (!facts.switching || facts.head.upgrade === "" || asked === "") return false;
  const protocols = asked.toLowerCase().split(", ");
  return facts.head.upgrade
    .toLowerCase()
    .split(",")
    .every((protocol) => protocols.includes(protocol.trim()));
}

const NOTHING: AnswerFacts = {
  head: new ResponseHead(),
  text: "",
  contentLength: -1,
  chunked: false,
  persistent: false,
  switching: false,
  hopFields: [],
};

function toFacts(parsed: ParsedHead, text: string): AnswerFacts {
  const head = new ResponseHead();
  settleTrailer(parsed);
  // many servers leave out the space behind the status (RFC 9112 section 4); what we send has it
  const spaced = text.charCodeAt(12) === CR ? 1 : 0;
  head.text = parsed.old || spaced > 0 ? `HTTP/1.1${text.slice(8, 12)}${" ".repeat(spaced)}${text.slice(12)}` : text;
  const base = parsed.start - spaced;
  head.fieldsAt = parsed.fieldsAt - base;
  head.cuts = base === 0 ? parsed.cuts : parsed.cuts.map((offset) => offset - base);
  head.status = parsed.status;
  head.upgrade = parsed.status === 101 ? parsed.upgrade : "";
  head.dated = parsed.dated;
  return {
    head,
    text,
    contentLength: parsed.contentLength,
    chunked: parsed.chunked,
    persistent: parsed.old ? parsed.keepAlive && !parsed.close : !parsed.close,
    switching: parsed.connectionUpgrade,
    hopFields: parsed.named,
  };
}
