/** The fields of a request that most requests lack, or that need a word with what came before: noted here until the head is made. */
import type { FaultReason } from "@sallyport/model/fault";
import type { ClaimedIdentity } from "../head/client-lines.ts";
import { CODES } from "./field-checks.ts";
import type { Field } from "./hpack/decoder.ts";

/** Notes of one request. */
export class RareFields implements ClaimedIdentity {
  host: string | undefined = undefined;
  /** Crumbs joined (RFC 9113 section 8.2.3); "" where there are none. */
  cookie = "";
  expect: string | undefined = undefined;
  trailer = "";
  takesTrailers = false;
  maxForwards = -1;
  forwardedFor = "";
  forwardedProto = "";
  requestId = "";
  /** What is wrong: with a fault it is answered, without one the message is malformed. */
  fault: FaultReason | undefined = undefined;
  detail = "";
  readonly #trusted: boolean;
  readonly #ownCertificate: boolean;
  #clean = true;

  /** `trusted`: the client may speak of others; `ownCertificate`: it has shown who it is itself. */
  constructor(trusted: boolean, ownCertificate: boolean) {
    this.#trusted = trusted;
    this.#ownCertificate = ownCertificate;
  }

  /** Forgets the request before. */
  reset(): void {
    if (this.#clean) return;
    this.#clean = true;
    this.host = undefined;
    this.cookie = "";
    this.expect = undefined;
    this.trailer = "";
    this.takesTrailers = false;
    this.maxForwards = -1;
    this.forwardedFor = "";
    this.forwardedProto = "";
    this.requestId = "";
    this.fault = undefined;
    this.detail = "";
  }

  /** Takes note of a field; returns the line that goes on at once, or "". */
  note(field: Field, code: number, method: string): string {
    this.#clean = false;
    const { value } = field;
    switch (code) {
      case CODES.cookie:
        this.cookie = this.cookie === "" ? value : `${this.cookie}; ${value}`;
        return "";
      case CODES.host:
        if (this.host !== undefined) this.detail = "second Host";
        this.host = value;
        return "";
      case CODES.te:
        this.takesTrailers = true;
        return "";
      case CODES.expect:
        if (this.expect !== undefined) this.#refuse("expectation-failed", "second Expect");
        this.expect = value;
        return "";
      case CODES.trailer:
        if (this.trailer === "") this.trailer = value;
        return "";
      case CODES["max-forwards"]:
        return this.#noteMaxForwards(field, method);
      case CODES["hop-by-hop"]:
        return "";
      default:
        return this.#noteIdentity(field, code);
    }
  }

  /** RFC 9110 section 7.6.2: counts for TRACE and OPTIONS alone; others carry it unchanged. */
  #noteMaxForwards(field: Field, method: string): string {
    if (method !== "OPTIONS" && method !== "TRACE") return field.line;
    if (!/^\d{1,9}$/.test(field.value) || this.maxForwards >= 0) this.#refuse("bad-request", "invalid Max-Forwards");
    else this.maxForwards = Number(field.value);
    return "";
  }

  /** Who the client is, in the words of whoever sent this head. */
  #noteIdentity(field: Field, code: number): string {
    if (!this.#trusted) return "";
    const { value } = field;
    switch (code) {
      case CODES["request-id"]:
        if (this.requestId !== "" || value === "") return "";
        this.requestId = value;
        return field.line;
      case CODES["forwarded-for"]:
        this.forwardedFor = joined(this.forwardedFor, value);
        return "";
      case CODES["forwarded-proto"]:
        this.forwardedProto = joined(this.forwardedProto, value.toLowerCase());
        return "";
      case CODES["client-certificate"]:
        return this.#ownCertificate ? "" : field.line;
      default:
        return field.line;
    }
  }

  #refuse(fault: FaultReason, detail: string): void {
    this.fault ??= fault;
    if (this.detail === "") this.detail = detail;
  }
}

function joined(before: string, value: string): string {
  return before === "" ? value : `${before}, ${value}`;
}
