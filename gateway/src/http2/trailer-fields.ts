/** Makes lines of the decoded fields of a trailer section (RFC 9113 section 8.1), of requests and answers alike. */
import { CODE, FIRST_MALFORMED, FIRST_PSEUDO, malformedBy, NO_TRAILER } from "./field-checks.ts";
import type { Field, FieldSink } from "./hpack/decoder.ts";

/**
 * Bytes of a section, counted as RFC 9113 section 6.5.2 does. gRPC puts status details there, so there is more room than the
 * chunked coding of HTTP/1.1 gives.
 */
const MAX_TRAILERS = 16_384;

/** Reads one section after the other: begin(), the fields, then `lines`. */
export class TrailerFields implements FieldSink {
  /** Those that may pass, each with CRLF. */
  lines = "";
  /** Malformed, or too much: the message is refused. */
  refused = false;
  detail = "";
  #size = 0;

  /** The fields that come from now on are those of another section. */
  begin(): void {
    this.lines = "";
    this.refused = false;
    this.detail = "";
    this.#size = 0;
  }

  onField(field: Field): void {
    if (this.refused) return;
    const code = field.role & CODE;
    this.#size += field.size;
    if (code >= FIRST_MALFORMED) this.#refuse(malformedBy(code));
    else if (code >= FIRST_PSEUDO) this.#refuse("pseudo-field in trailers");
    else if (this.#size > MAX_TRAILERS) this.#refuse("trailers beyond the limit");
    else if ((field.role & NO_TRAILER) === 0) this.lines += field.line;
  }

  #refuse(detail: string): void {
    this.refused = true;
    this.detail = detail;
    this.lines = "";
  }
}
