/** A connection whose protocol the endpoint chooses in the TLS handshake; from then on it is what was chosen. */
import type { Socket } from "node:net";
import type { FaultReason } from "@sallyport/model/fault";
import { invariant } from "@sallyport/model/result";
import type { ConnectionOwner, OpenOptions, UpstreamConnection, UpstreamEndpoint } from "../cluster/contract.ts";
import type { AnswerReceiver, UpstreamStream } from "../exchange/contract.ts";
import type { UpstreamDependencies } from "../exchange/dependencies.ts";
import { adoptHttp1 } from "../http1/client.ts";
import { adoptHttp2 } from "../http2/client.ts";
import { Timed } from "../time/wheel.ts";
import { Inlet } from "../wire/inlet.ts";
import { connectUpstream, type UpstreamSocket, type UpstreamSocketOwner } from "../wire/upstream-socket.ts";

/** Offered, best first. An endpoint that chooses none speaks HTTP/1.1. */
const PROTOCOLS = ["h2", "http/1.1"];

/** Begins to connect. */
export function openNegotiated(options: OpenOptions, dependencies: UpstreamDependencies): UpstreamConnection {
  return new NegotiatedConnection(options, dependencies);
}

class NegotiatedConnection extends Timed implements UpstreamConnection, UpstreamSocketOwner, ConnectionOwner {
  readonly endpoint: UpstreamEndpoint;
  readonly #options: OpenOptions;
  readonly #dependencies: UpstreamDependencies;
  readonly #inlet = new Inlet();
  readonly #transport: UpstreamSocket;
  #chosen: UpstreamConnection | undefined = undefined;
  #failureDetail = "";
  #closed = false;

  constructor(options: OpenOptions, dependencies: UpstreamDependencies) {
    super();
    this.#options = options;
    this.#dependencies = dependencies;
    const { cluster, endpoint, tls, tcpKeepAlive, connectTimeout } = options;
    this.endpoint = endpoint;
    const { log, sockets } = dependencies;
    const target = { cluster, endpoint, tls, tcpKeepAlive, applicationProtocols: PROTOCOLS, ways: sockets, log };
    this.#transport = connectUpstream(target, this.#inlet, this);
    dependencies.clocks.coarse.arm(this, connectTimeout);
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
    return this.#chosen?.failureDetail ?? this.#failureDetail;
  }

  open(receiver: AnswerReceiver): UpstreamStream {
    invariant(this.#chosen !== undefined, "the protocol is settled before a request is handed over");
    return this.#chosen.open(receiver);
  }

  close(): void {
    if (this.#chosen === undefined) this.#end(undefined);
    else this.#chosen.close();
  }

  /** The connect timeout. */
  override onLate(): void {
    this.#dependencies.recorder.upstreamConnect("timeout");
    this.#end("connect-timeout");
  }

  onUp(): void {
    if (this.#closed) return;
    const { clocks, log } = this.#dependencies;
    clocks.coarse.disarm(this);
    const { socket, ways } = this.#transport;
    const settled = { socket, ways, inlet: this.#inlet };
    const options = { ...this.#options, owner: this };
    const adopt = isHttp2(socket) ? adoptHttp2 : adoptHttp1;
    try {
      adopt(options, this.#dependencies, settled);
    } catch (error) {
      log.error("bug on an upstream connection", { error, endpoint: this.endpoint.label });
      this.#end("internal-error");
    }
  }

  onUpFailed(reason: "connect-failure" | "upstream-tls-failure", detail: string): void {
    if (this.#closed) return;
    this.#failureDetail = detail;
    this.#dependencies.recorder.upstreamConnect("failure");
    this.#end(reason);
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
    this.#tellClosed(failure);
  }

  #end(failure: FaultReason | undefined): void {
    this.#dependencies.clocks.coarse.disarm(this);
    this.#transport.socket.destroy();
    this.#tellClosed(failure);
  }

  #tellClosed(failure: FaultReason | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.owner.onClosed(this, failure);
  }
}

/** What the endpoint chose; `alpnProtocol` is false where it chose nothing. */
function isHttp2(socket: Socket): boolean {
  return "alpnProtocol" in socket && socket.alpnProtocol === "h2";
}
