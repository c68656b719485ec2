/** The record of an exchange, read from its live state: a recorder pays for what it looks at. Valid while it is handed over. */
import type { ResponseFlag } from "@sallyport/model/fault";
import { FieldLines } from "../head/field-lines.ts";
import type { CompiledListener } from "../router/contract.ts";
import type { ExchangeRecord } from "../observe/contract.ts";
import { TextPair, TextPart } from "../observe/text-parts.ts";
import type { DownstreamTls } from "./contract.ts";
import type { Exchange } from "./exchange.ts";

/** View of one exchange. */
export class LiveRecord implements ExchangeRecord {
  endedAt = 0;
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get listenerMetrics(): number {
    return this.#listener?.metrics ?? 0;
  }

  get listenerKey(): string {
    return this.#listener?.key ?? "";
  }

  get method(): string {
    return this.#exchange.start?.head.method ?? "";
  }

  get originalPath(): string {
    return this.#exchange.start?.head.target ?? "";
  }

  get authority(): string {
    return this.#exchange.start?.head.authority ?? "";
  }

  get protocol(): ExchangeRecord["protocol"] {
    return this.#exchange.start?.head.version ?? "HTTP/1.1";
  }

  get scheme(): "http" | "https" {
    return this.#exchange.start?.downstream.connection.scheme ?? "http";
  }

  get status(): number {
    return this.#exchange.status;
  }

  get flag(): ResponseFlag {
    const { flag, start } = this.#exchange;
    return flag === "-" && start !== undefined ? start.head.noted : flag;
  }

  get details(): string {
    return this.#exchange.details;
  }

  get requestId(): string {
    return this.#exchange.start?.head.requestId ?? "";
  }

  get pathPart(): TextPart | undefined {
    const head = this.#exchange.start?.head;
    if (head === undefined || head.targetFrom < 0) return undefined;
    return new TextPart(head.text, head.targetFrom, head.targetFrom + head.target.length);
  }

  get agentPart(): TextPart | undefined {
    const head = this.#exchange.start?.head;
    return head === undefined || head.agentFrom < 0 ? undefined : new TextPart(head.text, head.agentFrom, head.agentTo);
  }

  get idPair(): TextPair | undefined {
    const head = this.#exchange.start?.head;
    if (head === undefined || head.receivedId !== "" || head.idStem === "") return undefined;
    return new TextPair(head.idStem, head.idEnd);
  }

  get bytesReceived(): number {
    return this.#exchange.start?.downstream.bodyBytes ?? 0;
  }

  get bytesSent(): number {
    return this.#exchange.bytesSent;
  }

  get startedAt(): number {
    return this.#exchange.start?.startedAt ?? 0;
  }

  get upstreamStartedAt(): number {
    return this.#exchange.upstreamStartedAt;
  }

  get downstreamRemote(): string {
    return this.#exchange.start?.downstream.connection.remote ?? "";
  }

  get downstreamLocal(): string {
    return this.#exchange.start?.downstream.connection.local ?? "";
  }

  get downstreamPeer(): string {
    return this.#exchange.start?.downstream.connection.peer ?? "";
  }

  get tls(): DownstreamTls | undefined {
    return this.#exchange.start?.downstream.connection.tls;
  }

  get clientAddress(): string {
    return this.#exchange.start?.head.clientAddress ?? "";
  }

  get upstreamHost(): string {
    return this.#exchange.upstreamHost;
  }

  get upstreamCluster(): string {
    return this.#exchange.cluster?.key ?? "";
  }

  get upstreamFailure(): string {
    return this.#exchange.upstreamFailure;
  }

  get attempts(): number {
    return this.#exchange.tries;
  }

  get routeName(): string {
    return this.#exchange.rule?.label ?? "";
  }

  get isGrpc(): boolean {
    return this.#exchange.start?.head.isGrpc ?? false;
  }

  requestHeader(name: string): string | undefined {
    return this.#exchange.start?.head.received(name);
  }

  responseHeader(name: string): string | undefined {
    return this.#exchange.answer?.lookup(name);
  }

  responseTrailer(name: string): string | undefined {
    const { trailers } = this.#exchange;
    if (trailers === "") return undefined;
    const lines = new FieldLines();
    lines.text = trailers;
    return lines.lookup(name);
  }

  get #listener(): CompiledListener | undefined {
    return this.#exchange.listener ?? this.#exchange.start?.bind.fallback;
  }
}
