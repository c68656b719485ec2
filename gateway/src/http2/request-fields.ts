/**
 * Makes a RequestHead of the decoded fields of a request (RFC 9113 section 8.3), as strictly as HTTP/1.1 heads are read. Every
 * field is dealt with when it comes, by the role its table entry was given once; nothing is collected but text.
 */
import type { FaultReason } from "@sallyport/model/fault";
import type { HttpServerOptions } from "@sallyport/model/listener";
import type { DownstreamConnection } from "../exchange/contract.ts";
import { toHost } from "../head/authority.ts";
import { ClientLines } from "../head/client-lines.ts";
import { NO_CUTS } from "../head/field-lines.ts";
import { flatten } from "../head/flat-string.ts";
import { normalisePath } from "../head/path-normal.ts";
import type { RequestHead } from "../head/request-head.ts";
import { announcesAllowed } from "./answer-fields.ts";
import { CODE, CODES, FIRST_MALFORMED, FIRST_PSEUDO, isAuthorityText, UNDERSCORE } from "./field-checks.ts";
import type { Field, FieldSink } from "./hpack/decoder.ts";
import { PseudoFields } from "./pseudo-fields.ts";
import { RareFields } from "./rare-fields.ts";

const NO_FIELDS: readonly string[] = [];
/** What normalisation may change. */
const SUSPECT = /[%\\]|\/[/.]/;

/** What of the listener's options concerns requests. */
export type RequestOptions = Pick<
  HttpServerOptions,
  | "maxHeadBytes"
  | "maxHeaderFields"
  | "trustedHops"
  | "trustedProxies"
  | "underscores"
  | "mergeSlashes"
  | "escapedSlashes"
>;

/** Builds the request heads of one connection, one after the other: begin(), the fields, finish(). */
export class RequestFields implements FieldSink {
  /** Of the last head, where finish() said false: why. */
  fault: FaultReason = "bad-request";
  detail = "";
  /** The message is malformed (RFC 9113 section 8.1.1): the stream is reset, there is nobody to reason with. */
  malformed = false;
  /** Bytes that the body was said to have; -1 where nothing was said. DATA must agree with it. */
  contentLength = -1;
  /** It says in which order answers should come (RFC 9218). */
  prioritised = false;
  readonly #connection: DownstreamConnection;
  readonly #options: RequestOptions;
  readonly #client: ClientLines;
  readonly #rare: RareFields;
  #refused = false;
  #large = false;
  readonly #pseudo = new PseudoFields();
  #regular = false;
  #size = 0;
  #count = 0;
  #lines = "";
  #grpc = false;
  /** The last authority and the host it gave: most requests of a connection have the same. */
  #knownAuthority = "";
  #knownHost = "";

  constructor(connection: DownstreamConnection, options: RequestOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#client = new ClientLines(connection, options);
    this.#rare = new RareFields(this.#client.isTrusted, this.#client.speaksForItself);
  }

  /** The fields that come from now on are those of another request. */
  begin(): void {
    this.malformed = false;
    this.contentLength = -1;
    this.prioritised = false;
    this.#refused = false;
    this.#large = false;
    this.#pseudo.reset();
    this.#regular = false;
    this.#size = 0;
    this.#count = 0;
    this.#lines = "";
    this.#grpc = false;
    this.#rare.reset();
  }

  onField(field: Field): void {
    const { role } = field;
    this.#size += field.size;
    if (this.#size > this.#options.maxHeadBytes) this.#refuseLarge(field);
    if (this.#large || this.malformed) return;
    const code = role & CODE;
    if (code >= FIRST_PSEUDO) {
      this.#notePseudo(field, code);
      return;
    }
    this.#regular = true;
    // crumbs of a cookie are one field
    if (code !== CODES.cookie && ++this.#count > this.#options.maxHeaderFields)
      this.#tooLarge("head-too-large", "too many fields");
    if (role >= UNDERSCORE && this.#options.underscores !== "allow") this.#passUnderscore();
    else if (code === CODES.pass) this.#lines += field.line;
    else this.#noteRegular(field, code);
  }

  /** Fills `head`; `ended`: there is no body. False: the request is refused, and `fault`, `detail` and `malformed` say why. */
  finish(head: RequestHead, ended: boolean): boolean {
    if (this.malformed || this.#large) return false;
    const pseudo = this.#pseudo;
    const wrong = pseudo.check() || this.#checkLength(ended);
    if (wrong !== "") return this.#malform(wrong);
    if (pseudo.fault !== undefined) return this.#refuse(pseudo.fault, pseudo.detail);
    if (this.#refused) return false;
    const authority = this.#settleAuthority();
    if (authority === undefined) return false;
    if (pseudo.path === "" && !/:\d+$/.test(authority)) return this.#refuse("bad-request", "no port to connect to");
    const { upgrade } = pseudo;
    if (pseudo.protocol !== upgrade) return this.#refuse("unsupported-method", "unsupported :protocol");
    this.#fill(head, upgrade, ended);
    this.#write(head, authority);
    return this.#settleRare(head) && this.#settlePath(head, authority);
  }

  #notePseudo(field: Field, code: number): void {
    const wrong =
      this.#regular && code < FIRST_MALFORMED ? "pseudo-field behind another field" : this.#pseudo.note(field, code);
    if (wrong !== "") this.#malform(wrong);
  }

  #noteRegular(field: Field, code: number): void {
    switch (code) {
      case CODES["content-length"]:
        if (this.contentLength >= 0) this.#malform("second Content-Length");
        this.contentLength = Number(field.value);
        this.#lines += field.line;
        break;
      case CODES.grpc:
        this.#grpc = true;
        this.#lines += field.line;
        break;
      case CODES.priority:
        this.prioritised = true;
        this.#lines += field.line;
        break;
      default:
        this.#lines += this.#rare.note(field, code, this.#pseudo.method);
        if (this.#rare.fault !== undefined) this.#refuse(this.#rare.fault, this.#rare.detail);
        else if (this.#rare.detail !== "") this.#malform(this.#rare.detail);
    }
  }

  #passUnderscore(): void {
    if (this.#options.underscores === "reject") this.#refuse("bad-request", "underscore in a field name");
  }

  /** RFC 9113 section 8.3.1: Host says the same as :authority, or stands in for it. */
  #settleAuthority(): string | undefined {
    const { host } = this.#rare;
    const { authority } = this.#pseudo;
    if (authority === undefined) {
      if (host === undefined) this.#refuse("bad-request", "no authority");
      else if (!isAuthorityText(host)) this.#refuse("bad-request", "invalid Host");
      else return host;
      return undefined;
    }
    if (host === undefined || host === authority || host.toLowerCase() === authority.toLowerCase()) return authority;
    this.#malform("Host other than :authority");
    return undefined;
  }

  #checkLength(ended: boolean): string {
    if (this.#pseudo.method === "CONNECT") return this.contentLength < 0 ? "" : "Content-Length in CONNECT";
    return ended && this.contentLength > 0 ? "no body of the length that was announced" : "";
  }

  #fill(head: RequestHead, upgrade: string, ended: boolean): void {
    const isConnect = this.#pseudo.method === "CONNECT";
    const isStream = !ended && !isConnect;
    head.method = upgrade === "" ? this.#pseudo.method : "GET";
    head.scheme = this.#connection.scheme;
    head.version = "HTTP/2";
    head.framing = !isStream ? "none" : this.contentLength < 0 ? "stream" : "length";
    head.contentLength = isStream && this.contentLength > 0 ? this.contentLength : 0;
    head.upgrade = upgrade;
    head.hopFields = NO_FIELDS;
    head.persistent = true;
    head.redirectPath = "";
    head.takesTrailers = this.#rare.takesTrailers;
    this.#client.identify(head, this.#rare);
  }

  /** As an HTTP/1.1 head; the field lines begin behind Host, so that nobody has to cut it out for HTTP/2. */
  #write(head: RequestHead, authority: string): void {
    const target = this.#pseudo.method === "CONNECT" && head.upgrade === "" ? authority : this.#pseudo.path;
    const start = `${head.method} ${target} HTTP/1.1\r\nhost: ${authority}\r\n`;
    const { cookie } = this.#rare;
    head.target = target;
    head.text = flatten(start + this.#lines + (cookie === "" ? "" : `cookie: ${cookie}\r\n`) + this.#trailerLine(head));
    head.fieldsAt = start.length;
    head.cuts = NO_CUTS;
    head.verbatim = true;
    head.hostFrom = -1;
    head.hostTo = 0;
  }

  /** Trailer stays where there can be trailers in HTTP/1.1 as well and it announces none that will be dropped. */
  #trailerLine(head: RequestHead): string {
    const { trailer } = this.#rare;
    if (trailer === "" || head.framing !== "stream") return "";
    return announcesAllowed(trailer) ? `trailer: ${trailer}\r\n` : "";
  }

  #settleRare(head: RequestHead): boolean {
    const { expect, maxForwards } = this.#rare;
    if (expect !== undefined && expect.toLowerCase() !== "100-continue")
      return this.#refuse("expectation-failed", "unknown expectation");
    head.expectsContinue = expect !== undefined && head.framing !== "none";
    head.maxForwards = maxForwards;
    if (maxForwards > 0) head.extra += `max-forwards: ${maxForwards - 1}\r\n`;
    return true;
  }

  /** Host and path in the form that routes see. */
  #settlePath(head: RequestHead, authority: string): boolean {
    if (authority !== this.#knownAuthority) {
      this.#knownAuthority = authority;
      this.#knownHost = toHost(authority);
    }
    head.host = this.#knownHost;
    let path = this.#pseudo.path;
    if (SUSPECT.test(path)) {
      const normal = normalisePath(path, this.#options);
      if (normal.kind === "refused") return this.#refuse("bad-request", "invalid path");
      if (normal.kind === "redirect") head.redirectPath = normal.path;
      if (normal.path !== path) head.verbatim = false;
      path = normal.path;
    }
    head.settle(path, authority);
    head.isGrpc = this.#grpc;
    return true;
  }

  #refuseLarge(field: Field): void {
    if (this.#large) return;
    const isPath = (field.role & CODE) === CODES[":path"] && field.size > this.#options.maxHeadBytes;
    this.#tooLarge(
      isPath ? "uri-too-long" : "head-too-large",
      isPath ? ":path beyond the limit" : "head beyond the limit",
    );
  }

  /** Nothing more is looked at; the decoder goes on, for its table is of the connection. */
  #tooLarge(fault: FaultReason, detail: string): void {
    this.#large = true;
    this.#refused = false;
    this.#refuse(fault, detail);
    this.#lines = "";
    this.#rare.reset();
  }

  #malform(detail: string): false {
    if (this.malformed) return false;
    this.malformed = true;
    this.fault = "bad-request";
    this.detail = detail;
    return false;
  }

  /** The first reason stands. */
  #refuse(fault: FaultReason, detail: string): false {
    if (this.#refused || this.malformed) return false;
    this.#refused = true;
    this.fault = fault;
    this.detail = detail;
    return false;
  }
}
