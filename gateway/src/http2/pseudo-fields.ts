/** The pseudo-fields of a request (RFC 9113 section 8.3): each at most once, before all others, and those that belong together. */
import type { FaultReason } from "@sallyport/model/fault";
import { toUpgrade } from "../head/upgrade-protocols.ts";
import { CODES, FIRST_MALFORMED, FIRST_PSEUDO, malformedBy } from "./field-checks.ts";
import type { Field } from "./hpack/decoder.ts";

/** Pseudo-fields that were seen. */
const METHOD = 1;
const SCHEME = 2;
const AUTHORITY = 4;
const PATH = 8;
const PROTOCOL = 16;
/** By code, from the first of a pseudo-field on. */
const BITS: readonly number[] = [METHOD, SCHEME, AUTHORITY, PATH, PROTOCOL, 0, METHOD, SCHEME, AUTHORITY];
/** What every request but a plain CONNECT has. */
const NEEDED = METHOD | SCHEME | PATH;

/** Those of one request. */
export class PseudoFields {
  method = "";
  /** Undefined where there is none. */
  authority: string | undefined = undefined;
  path = "";
  protocol = "";
  /** Well-formed, and nothing that is served: why. */
  fault: FaultReason | undefined = undefined;
  detail = "";
  #seen = 0;

  /** The protocol, where it may be asked for. */
  get upgrade(): string {
    return this.protocol === "" ? "" : toUpgrade(this.protocol);
  }

  /** Forgets the request before. */
  reset(): void {
    this.method = "";
    this.authority = undefined;
    this.path = "";
    this.protocol = "";
    this.fault = undefined;
    this.#seen = 0;
  }

  /** Takes note of one. Returns what makes the message malformed, or "". */
  note(field: Field, code: number): string {
    if (code >= FIRST_MALFORMED) return malformedBy(code);
    const bit = BITS[code - FIRST_PSEUDO] ?? 0;
    if ((this.#seen & bit) !== 0) return "second pseudo-field of a name";
    this.#seen |= bit;
    switch (code) {
      case CODES[":method"]:
        this.method = field.value;
        break;
      case CODES[":path"]:
        this.path = field.value;
        break;
      case CODES[":authority"]:
        this.authority = field.value;
        break;
      case CODES[":protocol"]:
        this.protocol = field.value;
        break;
      default:
        this.#noteUnserved(code);
    }
    return "";
  }

  /** What makes the whole of them malformed, or "". */
  check(): string {
    const { method, path } = this;
    const seen = this.#seen;
    if (method === "CONNECT") {
      // RFC 9113 section 8.5, and RFC 8441 section 4 where there is a protocol
      const wanted = (seen & PROTOCOL) === 0 ? METHOD | AUTHORITY : NEEDED | AUTHORITY | PROTOCOL;
      if (seen !== wanted) return "pseudo-fields that CONNECT must not have, or not those it must";
    } else {
      if ((seen & NEEDED) !== NEEDED) return "no :method, :scheme or :path";
      if ((seen & PROTOCOL) !== 0) return ":protocol without CONNECT";
    }
    return path === "*" && method !== "OPTIONS" ? "invalid :path" : "";
  }

  /** Either scheme will do: what came over TLS is https, whatever proxies in front of us made of it. */
  #noteUnserved(code: number): void {
    if (code === CODES["long-method"]) this.#refuse("unsupported-method", "method too long");
    else if (code === CODES["other-scheme"]) this.#refuse("bad-request", "scheme other than http and https");
    else if (code === CODES["bad-authority"]) this.#refuse("bad-request", "invalid authority");
  }

  #refuse(fault: FaultReason, detail: string): void {
    if (this.fault !== undefined) return;
    this.fault = fault;
    this.detail = detail;
  }
}
