/**
 * A clear connection until its first bytes say which version of HTTP it speaks: HTTP/2 begins with a preface that no request of
 * HTTP/1.1 looks like (RFC 9113 section 3.3). Whatever else comes is the business of the HTTP/1.1 codec at once.
 */
import type { BodyLease } from "../exchange/contract.ts";
import type { ExchangeDependencies } from "../exchange/dependencies.ts";
import type { AcceptedSocket } from "../exchange/server-port.ts";
import { PREFACE } from "../http2/frames.ts";
import type { CompiledBind } from "../router/contract.ts";
import { Timed } from "../time/wheel.ts";
import type { ByteReader } from "../wire/inlet.ts";
import { closeUnserved } from "./close-unserved.ts";
import type { HttpServer, HttpVersion } from "./http-server.ts";

/** The port of such a connection. */
export interface ClearHttpOwner {
  readonly dependencies: ExchangeDependencies;
  currentBind(): CompiledBind;
  /** Gives the connection to a codec. */
  serve(accepted: AcceptedSocket, version: HttpVersion): HttpServer;
}

const PREFACE_BYTES = Buffer.from(PREFACE, "latin1");
const [FIRST] = PREFACE_BYTES;

/** One connection that has not said enough. */
export class ClearHttp extends Timed implements ByteReader {
  readonly #accepted: AcceptedSocket;
  readonly #owner: ClearHttpOwner;
  /** The preface as far as it came. */
  #early: Buffer | undefined = undefined;

  constructor(accepted: AcceptedSocket, owner: ClearHttpOwner) {
    super();
    this.#accepted = accepted;
    this.#owner = owner;
    accepted.socket.on("end", closeUnserved);
    this.#arm(owner.currentBind().http.idleTimeout);
  }

  onBytes(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): void {
    const early = this.#early;
    if (early !== undefined) this.#weigh(Buffer.concat([early, bytes.subarray(from, to)]));
    else if (bytes[from] === FIRST) this.#weigh(bytes.subarray(from, to));
    else this.#serve("http1").onBytes(bytes, from, to, lease);
  }

  onClosed(): void {
    this.#owner.dependencies.clocks.coarse.disarm(this);
    this.#accepted.inlet.close();
  }

  /** One in the middle of its preface is let in: the codec will see that the port drains. */
  drain(): void {
    if (this.#early === undefined) this.#serve("http1").drain();
  }

  override onLate(): void {
    const early = this.#early;
    if (early === undefined) {
      this.#accepted.socket.destroy();
      return;
    }
    // answered and recorded like any other head that is not complete in time
    const server = this.#serve("http1");
    server.onBytes(early, 0, early.length, undefined);
    server.onLate();
  }

  #weigh(bytes: Buffer): void {
    const length = Math.min(bytes.length, PREFACE_BYTES.length);
    if (PREFACE_BYTES.compare(bytes, 0, length, 0, length) !== 0) this.#hand("http1", bytes);
    else if (length === PREFACE_BYTES.length) this.#hand("http2", bytes);
    else {
      // from the first byte on
      if (this.#early === undefined) this.#arm(this.#owner.currentBind().http.headTimeout);
      this.#early = Buffer.from(bytes);
    }
  }

  #hand(version: HttpVersion, bytes: Buffer): void {
    this.#serve(version).onBytes(bytes, 0, bytes.length, undefined);
  }

  #serve(version: HttpVersion): HttpServer {
    this.#owner.dependencies.clocks.coarse.disarm(this);
    this.#accepted.socket.off("end", closeUnserved);
    return this.#owner.serve(this.#accepted, version);
  }

  #arm(milliseconds: number): void {
    this.#owner.dependencies.clocks.coarse.arm(this, milliseconds);
  }
}
