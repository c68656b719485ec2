/** A connection whose protocol the endpoint chooses in the TLS handshake; from then on it is what was chosen. */
import type { Socket } from "node:net";
import type { FaultReason } from "@sallyport/model/fault";
import { invariant } from "@sallyport/model/result";
import type { ConnectionOwner, OpenOptions, UpstreamConnection, UpstreamEndpoint } from "../cluster/contract.ts";
import type { AnswerReceiver, UpstreamStream } from "../exchange/contract.ts";
import type { UpstreamDependencies } from "../exchange/dependencies.ts";
import { UpstreamLife, type LivingConnection } from "../exchange/upstream-life.ts";
import { adoptHttp1 } from "../http1/client.ts";
import { adoptHttp2 } from "../http2/client.ts";
import { Inlet } from "../wire/inlet.ts";
import { connectUpstream, type UpstreamSocket, type UpstreamSocketOwner } from "../wire/upstream-socket.ts";

/** Offered, best first. An endpoint that chooses none speaks HTTP/1.1. */
const PROTOCOLS = ["h2", "http/1.1"];

/** Begins to connect. */
export function openNegotiated(options: OpenOptions, dependencies: UpstreamDependencies): UpstreamConnection {
  return new NegotiatedConnection(options, dependencies);
}

class NegotiatedConnection implements LivingConnection, UpstreamSocketOwner, ConnectionOwner {
  readonly endpoint: UpstreamEndpoint;
  readonly #options: OpenOptions;
  readonly #dependencies: UpstreamDependencies;
  readonly #inlet = new Inlet();
  readonly #transport: UpstreamSocket;
  readonly #life: UpstreamLife;
  #chosen: UpstreamConnection | undefined = undefined;

  constructor(options: OpenOptions, dependencies: UpstreamDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    const { cluster, endpoint, tls, tcpKeepAlive } = options;
    this.endpoint = endpoint;
    this.#life = new UpstreamLife(this, options, dependencies);
    const { log, sockets } = dependencies;
    const target = { cluster, endpoint, tls, tcpKeepAlive, applicationProtocols: PROTOCOLS, ways: sockets, log };
    this.#transport = connectUpstream(target, this.#inlet, this);
    this.#life.awaitConnect();
  }

  /** Until it is settled: one, so that nobody counts on more. */
  get capacity(): number {
    return this.#chosen?.capacity ?? 1;
  }

  get settled(): boolean {
    return this.#chosen !== undefined;
  }

  get upgradable(): boolean {
    return this.#chosen?.upgradable ?? false;
  }

  get connected(): boolean {
    return this.#chosen?.connected ?? false;
  }

  get failureDetail(): string {
    return this.#chosen?.failureDetail ?? this.#life.failureDetail;
  }

  open(receiver: AnswerReceiver): UpstreamStream {
    invariant(this.#chosen !== undefined, "the protocol is settled before a request is handed over");
    return this.#chosen.open(receiver);
  }

  close(): void {
    if (this.#chosen === undefined) this.lose();
    else this.#chosen.close();
  }

  failInside(): void {
    this.lose("internal-error");
  }

  onUp(): void {
    if (this.#life.closed) return;
    this.#life.settle();
    const { socket, ways } = this.#transport;
    const settled = { socket, ways, inlet: this.#inlet };
    const options = { ...this.#options, owner: this };
    const adopt = isHttp2(socket) ? adoptHttp2 : adoptHttp1;
    this.#life.guard(() => adopt(options, this.#dependencies, settled));
  }

  onUpFailed(reason: "connect-failure" | "upstream-tls-failure", detail: string): void {
    if (this.#life.closed) return;
    this.#life.failed(detail);
    this.lose(reason);
  }

  /** The codec has taken the socket over. */
  onConnected(chosen: UpstreamConnection): void {
    this.#chosen = chosen;
    this.#options.owner.onConnected(this);
  }

  onIdle(): void {
    this.#options.owner.onIdle(this);
  }

  onCapacity(): void {
    this.#options.owner.onCapacity(this);
  }

  onDraining(): void {
    this.#options.owner.onDraining(this);
  }

  onClosed(_chosen: UpstreamConnection, failure?: FaultReason): void {
    this.#life.close(failure);
  }

  lose(reason?: FaultReason): void {
    this.#transport.socket.destroy();
    this.#life.close(reason);
  }
}

/** What the endpoint chose; `alpnProtocol` is false where it chose nothing. */
function isHttp2(socket: Socket): boolean {
  return "alpnProtocol" in socket && socket.alpnProtocol === "h2";
}
