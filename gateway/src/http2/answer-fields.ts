/** Makes a ResponseHead of the decoded fields of an answer (RFC 9113 section 8.3.2): an upstream is believed as little as a client. */
import { NO_CUTS } from "../head/field-lines.ts";
import { flatten } from "../head/flat-string.ts";
import { reasonPhrase } from "../head/reason-phrase.ts";
import { ResponseHead } from "../head/response-head.ts";
import { isTrailerAllowed } from "../head/field-rules.ts";
import { CODE, CODES, FIRST_MALFORMED, FIRST_PSEUDO, malformedBy } from "./field-checks.ts";
import type { Field, FieldSink } from "./hpack/decoder.ts";

/** Limits of heads that upstreams send; bytes counted as RFC 9113 section 6.5.2 does. */
export const MAX_ANSWER_HEAD = 61_440;
const MAX_FIELDS = 200;

/** Reads the heads of one connection, one after the other: begin(), the fields, finish(). */
export class AnswerFields implements FieldSink {
  /** Where finish() gave nothing: why. */
  detail = "";
  /** Bytes that the body was said to have; -1 where nothing was said. */
  contentLength = -1;
  #refused = false;
  #status = 0;
  #regular = false;
  #size = 0;
  #count = 0;
  #lines = "";
  #trailer = "";
  #dated = false;
  /** The last head: servers send the same again and again, and what was rendered of it can be used again. */
  #last: ResponseHead | undefined = undefined;

  /** The fields that come from now on are those of another head. */
  begin(): void {
    this.detail = "";
    this.contentLength = -1;
    this.#refused = false;
    this.#status = 0;
    this.#regular = false;
    this.#size = 0;
    this.#count = 0;
    this.#lines = "";
    this.#trailer = "";
    this.#dated = false;
  }

  onField(field: Field): void {
    if (this.#refused) return;
    const code = field.role & CODE;
    this.#size += field.size;
    if (this.#size > MAX_ANSWER_HEAD) this.#refuse("head beyond the limit");
    else if (code >= FIRST_PSEUDO) this.#noteStatus(field, code);
    else if (++this.#count > MAX_FIELDS) this.#refuse("too many fields");
    else {
      this.#regular = true;
      if (code === CODES.pass) this.#lines += field.line;
      else this.#noteSpecial(field, code);
    }
  }

  /**
   * The head, which may be the same object as the last time; undefined where the answer is malformed. `ended`: nothing follows it;
   * trailers may follow where a body of unknown length does.
   */
  finish(ended: boolean): ResponseHead | undefined {
    this.#check(ended);
    if (this.#refused) return undefined;
    const line = `HTTP/1.1 ${this.#status} ${reasonPhrase(this.#status)}\r\n`;
    const keepsTrailer = this.#trailer !== "" && !ended && this.contentLength < 0;
    const text = flatten(line + this.#lines + (keepsTrailer ? this.#trailer : ""));
    const last = this.#last;
    if (last !== undefined && last.text === text) return last;
    const head = new ResponseHead();
    head.text = text;
    head.fieldsAt = line.length;
    head.cuts = NO_CUTS;
    head.status = this.#status;
    head.dated = this.#dated;
    if (this.#status >= 200) this.#last = head;
    return head;
  }

  #check(ended: boolean): void {
    if (this.#status === 0) this.#refuse("no :status");
    // RFC 9113 section 8.6: there is no such thing in HTTP/2
    if (this.#status === 101) this.#refuse("status 101");
    if (this.#status < 200 && ended) this.#refuse("an interim head that ends the answer");
    if (this.#status < 200 && this.contentLength >= 0) this.#refuse("Content-Length in an interim head");
  }

  #noteStatus(field: Field, code: number): void {
    if (code >= FIRST_MALFORMED) this.#refuse(malformedBy(code));
    else if (this.#regular || this.#status !== 0) this.#refuse("second :status, or behind another field");
    else this.#status = Number(field.value);
  }

  #noteSpecial(field: Field, code: number): void {
    switch (code) {
      case CODES["content-length"]:
        this.#noteLength(field);
        break;
      case CODES.date:
        this.#dated = true;
        this.#lines += field.line;
        break;
      case CODES.trailer:
        if (this.#trailer === "" && announcesAllowed(field.value)) this.#trailer = field.line;
        break;
      case CODES.te:
      case CODES["hop-by-hop"]:
        break;
      default:
        this.#lines += field.line;
    }
  }

  /** Repeated with the same value only (RFC 9110 section 8.6). */
  #noteLength(field: Field): void {
    const length = Number(field.value);
    if (this.contentLength < 0) this.#lines += field.line;
    else if (this.contentLength !== length) this.#refuse("differing Content-Lengths");
    this.contentLength = length;
  }

  #refuse(detail: string): void {
    if (this.#refused) return;
    this.#refused = true;
    this.detail = detail;
  }
}

/** Whether a Trailer field names none that will be dropped. */
export function announcesAllowed(value: string): boolean {
  return value
    .toLowerCase()
    .split(",")
    .every((name) => name.trim() === "" || isTrailerAllowed(name.trim()));
}
