/**
 * The life of a client connection of HTTP/1 beside what is said on it: how long its client is waited for, whether another request may
 * come, what is tidied up while it idles, and its end.
 */
import type { Socket } from "node:net";
import type { Exchange } from "../exchange/exchange.ts";
import { LINGER, lingerBehindAnswer } from "../exchange/lingering-close.ts";
import type { ServerPort } from "../exchange/server-port.ts";
import { Timed } from "../time/wheel.ts";
import type { Inlet } from "../wire/inlet.ts";
import type { Outlet } from "../wire/outlet.ts";
import type { RequestInput } from "./request-input.ts";
import type { RequestReader } from "./request-reader.ts";

/** What a connection is made of. */
export interface ConnectionParts {
  readonly port: ServerPort;
  readonly socket: Socket;
  readonly inlet: Inlet;
  readonly reader: RequestReader;
  readonly input: RequestInput;
  readonly outlet: Outlet;
}

/** The connection itself. */
export interface LifeOwner {
  /** The exchange under way has gone upstream. */
  readonly wentUpstream: boolean;
  /** What is waited for did not come in time. */
  onLate(): void;
}

/** The life of one connection; begins with the wait for its first request. */
export class ConnectionLife extends Timed {
  readonly #port: ServerPort;
  readonly #socket: Socket;
  readonly #inlet: Inlet;
  readonly #reader: RequestReader;
  readonly #input: RequestInput;
  readonly #outlet: Outlet;
  readonly #owner: LifeOwner;

  constructor({ port, socket, inlet, reader, input, outlet }: ConnectionParts, owner: LifeOwner) {
    super();
    this.#port = port;
    this.#socket = socket;
    this.#inlet = inlet;
    this.#reader = reader;
    this.#input = input;
    this.#outlet = outlet;
    this.#owner = owner;
    this.#arm(reader.bind.http.idleTimeout);
  }

  /** Whether another request may come behind the answer that begins now (RFC 9112 section 9.3). */
  get mayGoOn(): boolean {
    const { draining, dependencies } = this.#port;
    const { complete, ended } = this.#input;
    return this.#reader.persists && complete && !ended && !draining && !dependencies.pressure.stopKeepAlive;
  }

  /** Waits for the rest of a head. */
  awaitHead(): void {
    this.#arm(this.#reader.bind.http.headTimeout);
  }

  /** Waits for more of a body. */
  awaitBody(): void {
    this.#arm(this.#reader.bind.http.bodyIdleTimeout);
  }

  /** Waits for either side of an exchange; undefined: for the client to read what is left of one. */
  awaitExchange(exchange: Exchange | undefined): void {
    const { streamIdleTimeout } = this.#reader.bind.http;
    this.#arm(exchange?.limitSilence(streamIdleTimeout) ?? streamIdleTimeout);
  }

  /** Waits for the next request. A client that has not read its answers owes that first, and nothing is read of it meanwhile. */
  awaitRequest(): void {
    const { streamIdleTimeout, headTimeout, idleTimeout } = this.#reader.bind.http;
    if (this.#outlet.clogged) this.#arm(streamIdleTimeout);
    else this.#arm(this.#input.begun ? headTimeout : idleTimeout);
  }

  /** Between requests it ends; otherwise the answer under way will say Connection: close. */
  drain(): void {
    if (this.#input.idle) this.end();
  }

  /** FIN behind the last byte; what comes is ignored for a while from then on. */
  end(): void {
    const outlet = this.#outlet;
    const wheel = this.#port.dependencies.clocks.coarse;
    outlet.end();
    this.#input.ignore();
    if (outlet.unsent) lingerBehindAnswer(this, wheel, this.#socket, this.#reader.bind.http.streamIdleTimeout);
    else wheel.arm(this, LINGER);
  }

  /** The socket is closed. */
  close(): void {
    this.#port.dependencies.clocks.coarse.disarm(this);
    this.#reader.term?.close();
    this.#inlet.close();
  }

  override onLate(): void {
    this.#owner.onLate();
  }

  override onVisit(): void {
    if (this.#input.idle) {
      this.#reader.forget();
      // its next request could only be misdirected
      if (this.#reader.outdated) this.end();
    } else if (this.#owner.wentUpstream) this.#reader.forgetRoutes();
  }

  #arm(milliseconds: number): void {
    this.#port.dependencies.clocks.coarse.arm(this, milliseconds);
  }
}
