/**
 * A response head as exchanges and filters see it, from upstream or made here. Codecs share one object among exchanges
 * while nobody changes it: whoever will, asks for its own() first.
 */
import type { BodyClosing, LocalReply, ResponseView } from "@sallyport/policies/filter";
import { FieldLines } from "./field-lines.ts";
import { flatten } from "./flat-string.ts";
import { reasonPhrase } from "./reason-phrase.ts";

/** A response head. */
export class ResponseHead extends FieldLines implements ResponseView {
  status = 0;
  /** Of a 101: the protocol switched to. */
  upgrade = "";
  /** Whether it says when it was made; a codec adds Date where it does not. */
  dated = false;
  /** What a filter has the body end with instead of trailers. */
  closing: BodyClosing | undefined = undefined;
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
    return head;
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

  protected override beginEdit(): void {
    super.beginEdit();
    this.#rendered = "";
    this.#fieldLines = "";
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
  return head;
}

/** RFC 9110 section 8.6: no Content-Length in 1xx and 204. */
function allowsLength(status: number): boolean {
  return status >= 200 && status !== 204;
}
