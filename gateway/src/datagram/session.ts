/**
 * What a client and an upstream say to each other in datagrams: one client address, one endpoint, one socket of its own.
 * That socket is connected, so the kernel drops what comes from anybody but the endpoint, and tells when nobody is there.
 */
import type { Socket } from "node:dgram";
import { FAULTS, type FaultReason } from "@sallyport/model/fault";
import { toHostPort } from "@sallyport/model/listener";
import type { HashKey } from "@sallyport/model/traffic";
import type { EndpointLease, EndpointRequest, UpstreamCluster } from "../cluster/contract.ts";
import type { Recorder } from "../observe/contract.ts";
import type { CompiledListener, CompiledStreamRoute, Runtime } from "../router/contract.ts";
import { hashAddress } from "../session/address-hash.ts";
import type { Clocks } from "../time/ticker.ts";
import { Alarm } from "../time/alarm.ts";
import { Timed } from "../time/wheel.ts";
import { unmapAddress } from "../wire/address.ts";
import { hasRoom, openDatagramSocket } from "./socket.ts";

/** Datagrams, and bytes, that wait for an endpoint; more are dropped. */
const WAITING_DATAGRAMS = 16;
const WAITING_BYTES = 65_536;
/** Milliseconds in which the datagrams of a client are dropped after its session found no endpoint. */
const MUTED = 1_000;

/** Where a session's datagrams come from. */
export interface ClientAddress {
  readonly address: string;
  readonly port: number;
}

/** What a session stands on: its port. */
export interface SessionPort {
  readonly dependencies: DatagramDependencies;
  readonly budget: SocketBudget;
  /** `address:port` datagrams are received on. */
  readonly local: string;
  runtime(): Runtime;
  /** Sends to a client. */
  answer(client: ClientAddress, datagram: Buffer): void;
  /** The session is over. */
  onEnded(session: Session): void;
}

/** What all datagram ports of a thread stand on. */
export interface DatagramDependencies {
  readonly clocks: Clocks;
  readonly recorder: Pick<
    Recorder,
    "stream" | "connectionOpened" | "connectionClosed" | "upstreamConnect" | "upstreamClosed"
  >;
  readonly log: {
    error(message: string, fields: Readonly<Record<string, unknown>>): void;
    warn(message: string, fields: Readonly<Record<string, unknown>>): void;
  };
  /** Milliseconds, as performance.now(). */
  now(): number;
}

/** Descriptors this thread may use (the listeners' ConnectionBudget). */
export interface SocketBudget {
  take(): boolean;
  giveBack(): void;
}

/** What it is about. */
export interface SessionTerms {
  readonly key: string;
  readonly client: ClientAddress;
  readonly listener: CompiledListener;
  readonly route: CompiledStreamRoute | undefined;
}

/** `waiting`: for an endpoint; `muted`: it got none. */
type SessionState = "waiting" | "open" | "muted" | "ended";

/** One session. */
export class Session extends Timed implements EndpointRequest {
  readonly key: string;
  readonly #terms: SessionTerms;
  readonly #port: SessionPort;
  readonly #startedAt: number;
  readonly #idleTimeout: number;
  #state: SessionState = "waiting";
  #life: Alarm | undefined = undefined;
  #cluster: UpstreamCluster | undefined = undefined;
  #lease: EndpointLease | undefined = undefined;
  #socket: Socket | undefined = undefined;
  /** The runtime in which the cluster was last seen. */
  #seenIn: Runtime;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #reason: FaultReason | undefined = undefined;
  #bytesReceived = 0;
  #bytesSent = 0;
  #datagramsReceived = 0;
  #datagramsSent = 0;

  constructor(terms: SessionTerms, port: SessionPort) {
    super();
    this.key = terms.key;
    this.#terms = terms;
    this.#port = port;
    this.#startedAt = port.dependencies.now();
    this.#idleTimeout = terms.listener.stream.idleTimeout;
    this.#seenIn = port.runtime();
    port.dependencies.recorder.connectionOpened(terms.listener.metrics);
  }

  /** Looks for an endpoint; once. */
  begin(): void {
    const { route, listener } = this.#terms;
    const { maxLifetime } = listener.stream;
    this.#touch();
    if (maxLifetime > 0) {
      this.#life = new Alarm(() => this.end("lifetime-exceeded"));
      this.#port.dependencies.clocks.coarse.arm(this.#life, maxLifetime);
    }
    const backend = route?.pick();
    this.#cluster = backend?.cluster;
    if (this.#cluster === undefined) this.#mute(backend === undefined ? "no-route" : "invalid-backend");
    else this.#cluster.lease(this);
  }

  /** Whether its cluster and its endpoint are still configured. */
  isCurrent(runtime: Runtime): boolean {
    if (this.#lease?.endpoint.state === "removed") return false;
    if (runtime === this.#seenIn || this.#cluster === undefined) return true;
    if (runtime.cluster(this.#cluster.key) !== this.#cluster) return false;
    this.#seenIn = runtime;
    return true;
  }

  /** A datagram from the client. */
  receive(datagram: Buffer): void {
    this.#datagramsReceived++;
    this.#bytesReceived += datagram.length;
    if (this.#state === "open") {
      this.#touch();
      this.#send(datagram);
    } else if (this.#state === "waiting") {
      this.#touch();
      this.#keep(datagram);
    }
  }

  assign(lease: EndpointLease): void {
    if (this.#state !== "waiting") {
      lease.release();
      return;
    }
    this.#lease = lease;
    if (this.#port.budget.take()) this.#open(lease);
    else this.#mute("overloaded");
  }

  hashOf(keys: readonly HashKey[]): number | undefined {
    return hashAddress(keys, unmapAddress(this.#terms.client.address));
  }

  refuse(reason: FaultReason): void {
    if (this.#state === "waiting") this.#mute(reason);
  }

  /** Silence: that is how sessions end. */
  override onLate(): void {
    this.end(undefined);
  }

  override onVisit(): void {
    if (!this.isCurrent(this.#port.runtime())) this.end(undefined);
  }

  /** Ends it now. */
  end(reason: FaultReason | undefined): void {
    if (this.#state === "ended") return;
    if (this.#state === "waiting") this.#cluster?.cancel(this);
    this.#state = "ended";
    this.#reason ??= reason;
    const { clocks, recorder } = this.#port.dependencies;
    clocks.coarse.disarm(this);
    if (this.#life !== undefined) clocks.coarse.disarm(this.#life);
    this.#waiting = [];
    this.#closeSocket();
    this.#lease?.release();
    this.#port.onEnded(this);
    recorder.connectionClosed(this.#terms.listener.metrics);
    this.#record();
  }

  #open(lease: EndpointLease): void {
    const { address, port } = lease.endpoint;
    const socket = openDatagramSocket(address);
    this.#socket = socket;
    this.#state = "open";
    socket.on("message", (datagram: Buffer) => this.#onAnswer(datagram));
    socket.on("error", () => this.#onError());
    this.#port.dependencies.recorder.upstreamConnect("success");
    try {
      // with an address and nothing to look up, it is connected when this returns
      socket.connect(port, address);
      // throws where it is not: no descriptor, no route to that address
      socket.remoteAddress();
    } catch {
      this.#onError();
    }
    for (const datagram of this.#waiting.splice(0)) this.#send(datagram);
  }

  #send(datagram: Buffer): void {
    const socket = this.#socket;
    // without a callback errors of sending (too large, no buffer) are nobody's
    if (socket !== undefined && hasRoom(socket)) socket.send(datagram);
  }

  #onAnswer(datagram: Buffer): void {
    if (this.#state !== "open") return;
    this.#touch();
    this.#datagramsSent++;
    this.#bytesSent += datagram.length;
    try {
      this.#port.answer(this.#terms.client, datagram);
    } catch (error) {
      this.#port.dependencies.log.error("bug in a datagram session", { error, listener: this.#terms.listener.key });
    }
  }

  /** Nobody listens there (any more), or there is no socket to be had: the next datagram begins anew. */
  #onError(): void {
    this.end(this.#datagramsSent === 0 ? "connect-failure" : "upstream-reset");
  }

  #keep(datagram: Buffer): void {
    if (this.#waiting.length >= WAITING_DATAGRAMS || this.#waitingBytes + datagram.length > WAITING_BYTES) return;
    this.#waitingBytes += datagram.length;
    this.#waiting.push(datagram);
  }

  /** Stays for a moment, so that a flood of datagrams nobody takes costs neither look-ups nor log lines. */
  #mute(reason: FaultReason): void {
    this.#state = "muted";
    this.#reason = reason;
    this.#waiting = [];
    this.#port.dependencies.clocks.coarse.arm(this, MUTED);
  }

  #closeSocket(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    socket.close();
    this.#port.budget.giveBack();
    this.#port.dependencies.recorder.upstreamClosed();
  }

  #touch(): void {
    this.#port.dependencies.clocks.coarse.arm(this, this.#idleTimeout);
  }

  #record(): void {
    const { listener, route, client } = this.#terms;
    const { dependencies, local } = this.#port;
    const reason = this.#reason;
    const clientAddress = unmapAddress(client.address);
    const remote = toHostPort({ address: clientAddress, port: client.port });
    dependencies.recorder.stream({
      protocol: "UDP",
      serverName: undefined,
      listenerMetrics: listener.metrics,
      listenerKey: listener.key,
      flag: reason === undefined ? "-" : FAULTS[reason].flag,
      details: reason ?? "",
      bytesReceived: this.#bytesReceived,
      bytesSent: this.#bytesSent,
      datagramsReceived: this.#datagramsReceived,
      datagramsSent: this.#datagramsSent,
      startedAt: this.#startedAt,
      endedAt: dependencies.now(),
      downstreamRemote: remote,
      downstreamLocal: local,
      downstreamPeer: remote,
      clientAddress,
      upstreamHost: this.#lease?.endpoint.label ?? "",
      upstreamCluster: this.#cluster?.key ?? "",
      routeName: route?.key ?? "",
      tls: undefined,
    });
  }
}
