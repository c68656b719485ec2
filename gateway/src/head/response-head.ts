/**
 * A response head as exchanges and filters see it, from upstream or made here. Codecs share one object among exchanges
 * while nobody changes it: whoever will, asks for its own() first.
 */
import type { BodyClosing, ContentCoding, LocalReply, Replacement, ResponseView } from "@sallyport/policies/filter";
import { FieldLines } from "./field-lines.ts";
import { flatten } from "./flat-string.ts";
import { reasonPhrase } from "./reason-phrase.ts";

/** Another body for an answer, or another coding of the one that it has. */
export interface BodyChange {
  body: Buffer | undefined;
  coding: ContentCoding | undefined;
}

/**
 * What says something of the body that an answer had, and nothing of one that takes its place. The rest stays: cookies, what
 * CORS allows, WWW-Authenticate and Retry-After, without which a status is not whole.
 */
const OF_BODY = [
  "content-type",
  "content-encoding",
  "content-language",
  "content-location",
  "content-range",
  "content-disposition",
  "content-md5",
  "content-digest",
  "repr-digest",
  "digest",
  "etag",
  "last-modified",
  "accept-ranges",
];

/** A response head. */
export class ResponseHead extends FieldLines implements ResponseView {
  status = 0;
  /** Of a 101: the protocol switched to. */
  upgrade = "";
  /** Whether it says when it was made; a codec adds Date where it does not. */
  dated = false;
  /** What a filter has the body end with instead of trailers. */
  closing: BodyClosing | undefined = undefined;
  source: "upstream" | "local" = "upstream";
  /** What filters ask for the body. */
  change: BodyChange | undefined = undefined;
  #shared = true;
  #rendered = "";
  #fieldLines = "";
  #flat = false;

  /** One that may be changed: this one where it is nobody else's, else a copy. */
  own(): ResponseHead {
    if (!this.#shared) return this;
    const head = new ResponseHead();
    head.#shared = false;
    head.text = this.text;
    head.fieldsAt = this.fieldsAt;
    head.cuts = this.cuts;
    head.extra = this.extra;
    head.status = this.status;
    head.upgrade = this.upgrade;
    head.dated = this.dated;
    head.source = this.source;
    return head;
  }

  get reason(): string {
    return reasonPhrase(this.status);
  }

  get bodyLength(): number | undefined {
    if (this.change?.body !== undefined) return this.change.body.length;
    const length = this.lookup("content-length");
    return length === undefined ? undefined : Number(length);
  }

  replace({ status, body }: Replacement): void {
    this.beginEdit();
    this.change ??= { body: undefined, coding: undefined };
    if (status !== this.status) this.#restate(status);
    if (body === undefined) return;
    for (const name of OF_BODY) this.removeHeader(name);
    this.setHeader("content-type", body.contentType);
    this.change = { body: Buffer.from(body.text, "utf8"), coding: undefined };
  }

  encodeBody(coding: ContentCoding): void {
    if (this.change === undefined) this.change = { body: undefined, coding };
    else this.change.coding = coding;
  }

  closeBody(closing: BodyClosing): void {
    this.closing = closing;
  }

  /** As HTTP/1.1, without what the codec adds: Date, framing, Connection, the empty line. */
  toHttp1(): string {
    if (this.#rendered === "") {
      this.#rendered = this.keptFrom(0) + this.extra;
      this.#flat = false;
    } else if (!this.#flat) {
      this.#flat = true;
      flatten(this.#rendered);
    }
    return this.#rendered;
  }

  /** The field lines, without the status line and without what codecs add. Names are as they came. The same text for the same head. */
  toFieldLines(): string {
    if (this.#fieldLines === "") this.#fieldLines = flatten(this.keptFrom(this.fieldsAt) + this.extra);
    return this.#fieldLines;
  }

  /** Without Content-Length, which this status must not have (RFC 9110 section 8.6). */
  withoutLength(): ResponseHead {
    if (this.received("content-length") === undefined) return this;
    this.#rendered = "";
    this.#fieldLines = "";
    const head = this.own();
    for (let at = head.fieldsAt; at < head.text.length;) {
      const end = head.text.indexOf("\r\n", at) + 2;
      if (head.text.slice(at, at + 15).toLowerCase() === "content-length:" && !head.isCutAt(at)) head.cut(at, end);
      at = end;
    }
    return head;
  }

  /** As withoutLength(), with the length that the body has now. */
  withLength(length: number): ResponseHead {
    const head = this.withoutLength().own();
    head.beginEdit();
    head.extra += `content-length: ${length}\r\n`;
    return head;
  }

  protected override beginEdit(): void {
    super.beginEdit();
    this.#rendered = "";
    this.#fieldLines = "";
  }

  #restate(status: number): void {
    const line = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`;
    const moved = line.length - this.fieldsAt;
    this.text = line + this.text.slice(this.fieldsAt);
    this.fieldsAt = line.length;
    this.cuts = this.cuts.map((offset) => offset + moved);
    this.status = status;
  }
}

/** The head of a response made here; `length` is that of its body in bytes. */
export function toResponseHead(reply: Pick<LocalReply, "status" | "headers">, length: number): ResponseHead {
  const head = new ResponseHead();
  const line = `HTTP/1.1 ${reply.status} ${reasonPhrase(reply.status)}\r\n`;
  let fields = "";
  for (const [name, value] of reply.headers) fields += `${name}: ${value}\r\n`;
  if (allowsLength(reply.status)) fields += `content-length: ${length}\r\n`;
  head.text = line + fields;
  head.fieldsAt = line.length;
  head.status = reply.status;
  head.source = "local";
  return head;
}

/** RFC 9110 section 8.6: no Content-Length in 1xx and 204. */
function allowsLength(status: number): boolean {
  return status >= 200 && status !== 204;
}
