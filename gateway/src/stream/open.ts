/**
 * Connects an accepted connection to an endpoint of its route and copies bytes both ways.
 *
 * What one side does the other sees: bytes in order, FIN behind the last byte while the other direction goes on, a reset as
 * a reset. A connection that the gateway cuts is reset as well, so that half a transfer never looks like a whole one; one
 * that reached no endpoint is closed. While the gateway drains, what is passed on goes on; it ends with the process.
 */
import type { Socket } from "node:net";
import { FAULTS, type FaultReason } from "@sallyport/model/fault";
import type { EndpointLease } from "../cluster/contract.ts";
import { Alarm } from "../time/alarm.ts";
import { Timed } from "../time/wheel.ts";
import type { SocketWays } from "../wire/outlet.ts";
import type { StreamConnection, StreamDependencies, StreamSource } from "./contract.ts";
import { Dial, type DialedUpstream, type DialOwner } from "./dial.ts";
import { Direction, type DirectionOwner } from "./direction.ts";
import { toProxyHeader } from "./proxy-header.ts";

/**
 * Takes over a connection; the upstream is dialled at once, for in some protocols the server speaks first. Closes the socket
 * when it is done with it or cannot serve it, and then waits for onClosed().
 */
export function openStream(source: StreamSource, dependencies: StreamDependencies): StreamConnection {
  const stream = new PassedStream(source, dependencies);
  stream.begin();
  return stream;
}

class PassedStream extends Timed implements StreamConnection, DirectionOwner, DialOwner {
  readonly #source: StreamSource;
  readonly #dependencies: StreamDependencies;
  readonly #startedAt: number;
  readonly #up = new Direction(this);
  readonly #down = new Direction(this);
  readonly #idleTimeout: number;
  #life: Alarm | undefined = undefined;
  #dial: Dial | undefined = undefined;
  #clusterKey = "";
  #upstream: DialedUpstream | undefined = undefined;
  /** Why it ends before both sides have ended it. */
  #reason: FaultReason | undefined = undefined;
  #detail = "";
  #wasConnected = false;
  #closed = false;

  constructor(source: StreamSource, dependencies: StreamDependencies) {
    super();
    this.#source = source;
    this.#dependencies = dependencies;
    this.#startedAt = dependencies.now();
    this.#idleTimeout = source.listener.stream.idleTimeout;
    if (source.head !== undefined) this.#up.prepend(source.head);
    this.#up.from(source.inlet);
    // whoever looked at its first bytes may have met its end
    if (source.socket.readableEnded) this.#up.end();
    else source.socket.on("end", () => this.#guard(() => this.#up.end()));
  }

  get clientAddress(): string {
    return this.#source.about.remoteAddress;
  }

  begin(): void {
    const { route, listener } = this.#source;
    const backend = route?.pick();
    if (backend?.cluster === undefined) {
      this.#fail(backend === undefined ? "no-route" : "invalid-backend");
      return;
    }
    const { clocks } = this.#dependencies;
    const { maxLifetime } = listener.stream;
    if (maxLifetime > 0) {
      this.#life = new Alarm(() => this.#fail("lifetime-exceeded"));
      clocks.coarse.arm(this.#life, maxLifetime);
    }
    this.#clusterKey = backend.cluster.key;
    this.#dial = new Dial(backend.cluster, this, this.#dependencies);
    this.#guard(() => this.#dial?.begin());
  }

  onDialed(upstream: DialedUpstream): void {
    this.#upstream = upstream;
    this.#wasConnected = true;
    this.#guard(() => this.#connect(upstream));
  }

  onDialFailed(reason: FaultReason, detail: string): void {
    this.#detail = detail;
    this.#fail(reason);
  }

  toPreface({ proxyProtocol }: EndpointLease): Buffer | undefined {
    const { about, serverName } = this.#source;
    return proxyProtocol === undefined ? undefined : toProxyHeader(proxyProtocol, about, serverName);
  }

  onPassed(): void {
    this.#dependencies.clocks.coarse.arm(this, this.#idleTimeout);
  }

  onBug(error: unknown): void {
    const { listener, about } = this.#source;
    this.#dependencies.log.error("bug on a passed-on connection", {
      error,
      listener: listener.key,
      client: about.remote,
    });
    this.#fail("internal-error");
  }

  /** Neither side has sent or taken a byte for the idle time. */
  override onLate(): void {
    this.#fail("stream-idle-timeout");
  }

  onClosed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#source.inlet.close();
    if (!this.#isWhole) this.#fail("downstream-closed");
    this.#record();
    this.#settle();
  }

  /** Both sides have ended their directions: what is left is to write the last bytes. */
  get #isWhole(): boolean {
    return this.#up.ended && this.#down.ended;
  }

  #connect(upstream: DialedUpstream): void {
    const { about, socket } = this.#source;
    upstream.socket.on("end", () => this.#guard(() => this.#down.end()));
    upstream.socket.on("close", () => this.#guard(() => this.#onUpstreamClosed(upstream)));
    this.#down.open(socket, toWays(about.tls));
    this.#down.from(upstream.inlet);
    this.#up.open(upstream.socket, upstream.ways);
    this.onPassed();
  }

  #onUpstreamClosed(upstream: DialedUpstream): void {
    this.#upstream = undefined;
    upstream.inlet.close();
    upstream.lease.release();
    this.#dependencies.recorder.upstreamClosed();
    if (!this.#isWhole) this.#fail("upstream-reset");
    this.#settle();
  }

  /** Ends both connections now; the first reason counts. */
  #fail(reason: FaultReason): void {
    this.#reason ??= reason;
    this.#dial?.cancel();
    const { socket, about } = this.#source;
    const upstream = this.#upstream;
    // nothing is cut where nothing was passed on, nor by silence with no bytes on their way
    const clean = !this.#wasConnected || (reason === "stream-idle-timeout" && !this.#up.clogged && !this.#down.clogged);
    endSocket(socket, clean || about.tls !== undefined ? "close" : "reset");
    if (upstream !== undefined)
      endSocket(upstream.socket, clean || upstream.lease.tls !== undefined ? "close" : "reset");
  }

  /** Once nothing is open there is nothing to be late. */
  #settle(): void {
    if (!this.#closed || this.#upstream !== undefined) return;
    const { coarse } = this.#dependencies.clocks;
    coarse.disarm(this);
    if (this.#life !== undefined) coarse.disarm(this.#life);
  }

  #record(): void {
    const { about, listener, protocol, route, serverName } = this.#source;
    const dependencies = this.#dependencies;
    const reason = this.#reason;
    dependencies.recorder.stream({
      protocol,
      serverName: about.tls?.serverName ?? serverName,
      listenerMetrics: listener.metrics,
      listenerKey: listener.key,
      flag: reason === undefined ? "-" : FAULTS[reason].flag,
      details: this.#detail || (reason ?? ""),
      bytesReceived: this.#up.bytes,
      bytesSent: this.#down.bytes,
      datagramsReceived: 0,
      datagramsSent: 0,
      startedAt: this.#startedAt,
      endedAt: dependencies.now(),
      downstreamRemote: about.remote,
      downstreamLocal: about.local,
      downstreamPeer: about.peer,
      clientAddress: this.clientAddress,
      upstreamHost: this.#dial?.endpoint?.label ?? "",
      upstreamCluster: this.#clusterKey,
      routeName: route?.key ?? "",
      tls: about.tls,
    });
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.onBug(error);
    }
  }
}

/** Over TLS every write completes a turn later: there is nothing to gain by tuning. */
function toWays(tls: object | undefined): SocketWays {
  return tls === undefined ? "tuned" : "documented";
}

/** A reset is for TCP alone: TLS shows a cut by the missing close_notify. */
function endSocket(socket: Socket, how: "close" | "reset"): void {
  if (how === "close") socket.destroy();
  else socket.resetAndDestroy();
}
