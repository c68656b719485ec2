/** Reads request heads of one connection under the configuration in force; the same head twice is parsed once. */
import type { FaultReason } from "@sallyport/model/fault";
import type { TermOwner } from "../exchange/connection-term.ts";
import type { DownstreamStream } from "../exchange/contract.ts";
import type { ExchangeStart } from "../exchange/exchange-state.ts";
import { FollowedBind } from "../exchange/followed-bind.ts";
import { NO_RUNTIME, withoutRoutes } from "../exchange/in-force.ts";
import { RequestHead } from "../head/request-head.ts";
import { toLatin1 } from "../wire/latin1.ts";
import { CR, LF } from "../head/bytes.ts";
import { HeadParser } from "./head-parser.ts";
import { RequestBuilder } from "./request-builder.ts";
import type { ServerPort } from "../exchange/server-port.ts";

/** Heads longer than this are not remembered. */
const MAX_REMEMBERED = 4096;

const parser = new HeadParser();
/** Stands where a connection has no request: nobody may use it, the next read makes a new one. */
const NO_REQUEST = new RequestHead();
NO_REQUEST.abandoned = true;

/** Why a head was refused. */
export interface Refusal {
  readonly reason: FaultReason;
  readonly detail: string;
  /** It said HTTP/1.0. */
  readonly old: boolean;
}

/** Keeps the last head and what it meant; an exchange starts from here. */
export class RequestReader extends FollowedBind implements ExchangeStart {
  readonly downstream: DownstreamStream;
  head = NO_REQUEST;
  /** performance.now() of the first byte of the head; 0 before. */
  startedAt = 0;
  readonly #port: ServerPort;
  #builder: RequestBuilder;
  /** head.text may be compared with what comes. */
  #remembered = false;
  #spokeHttp = false;

  constructor(port: ServerPort, downstream: DownstreamStream & TermOwner) {
    super(port, downstream.connection, downstream);
    this.#port = port;
    this.downstream = downstream;
    this.#builder = new RequestBuilder(downstream.connection, this.bind.http);
  }

  /** Whether another request may come behind the last head. */
  get persists(): boolean {
    return this.head.persistent && this.term?.isOver !== true;
  }

  /** Of the last head, where that was refused. Who spoke HTTP before gets an answer. */
  get refusal(): Refusal {
    const { fault, detail, old } = parser.head;
    return { reason: fault === "not-http" && this.#spokeHttp ? "bad-request" : fault, detail, old };
  }

  /** The offset behind the head in bytes[from, end), 0 where it is incomplete, -1 where it is refused. */
  read(bytes: Buffer, from: number, end: number): number {
    if (this.follow()) this.#followOptions();
    const to = from + this.head.text.length;
    const text = this.#remembered ? sameLength(bytes, from, to, end) : "";
    if (text !== "" && text === this.head.text && !this.head.abandoned) {
      this.term?.count();
      return to + 2;
    }
    const behind = parser.request(bytes, from, end, this.#builder.limits);
    if (behind > 0) this.#spokeHttp = true;
    return behind > 0 ? this.#build(bytes, behind, text) : behind;
  }

  /** Between requests: gives up what only makes the next one cheaper, and a configuration that is no longer in force. */
  forget(): void {
    this.#remembered = false;
    this.head = NO_REQUEST;
    if (this.follow()) this.#followOptions();
  }

  /**
   * During an exchange that has gone upstream: gives up the routes it was found in, where others are in force by now.
   * Tunnels outlive any number of configurations. Limits and listener stay those it began with.
   */
  forgetRoutes(): void {
    if (this.runtime === NO_RUNTIME || this.runtime === this.#port.runtime()) return;
    this.bind = withoutRoutes(this.bind);
    this.runtime = NO_RUNTIME;
    this.head.routedBy = undefined;
  }

  /** An empty head, for an exchange that has none. */
  clear(): void {
    this.#remembered = false;
    this.head = new RequestHead();
    this.head.persistent = false;
  }

  /** `text`: perhaps the text of the head already, cut to the length of the one before. */
  #build(bytes: Buffer, behind: number, text: string): number {
    const { start, end } = parser.head;
    const whole = text.length === end - start && behind - end === 2 ? text : toLatin1(bytes, start, end);
    if (this.head.abandoned) this.head = new RequestHead();
    this.#remembered = whole.length <= MAX_REMEMBERED;
    if (!this.#builder.build(this.head, parser.head, bytes, whole)) return -1;
    this.term?.count();
    return behind;
  }

  /** What was built for other limits says nothing under these. */
  #followOptions(): void {
    this.#builder = new RequestBuilder(this.downstream.connection, this.bind.http);
    this.#remembered = false;
  }
}

/** The text at bytes[from, to) if a head could end there; "" otherwise. */
function sameLength(bytes: Buffer, from: number, to: number, end: number): string {
  return end - to >= 2 && bytes[to] === CR && bytes[to + 1] === LF ? toLatin1(bytes, from, to) : "";
}
