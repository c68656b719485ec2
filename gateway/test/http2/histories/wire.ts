/**
 * A connection without a network: the gateway has a socket, the test the other end, and chance says how much of what was sent arrives
 * with each turn. Reads go to memory of the gateway's own as Node's do, so that a piece that is used too late shows.
 */
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { invariant } from "@sallyport/model/result";
import { below, pick } from "@sallyport/testkit/random";
import { Inlet } from "../../../src/wire/inlet.ts";

/** Bytes that the kernel takes before the other end reads them. */
const KERNEL = 20_000;
const SMALL_CUTS = [1, 2, 8, 9, 10, 57] as const;
const LARGE_CUTS = [1000, 20_000, 200_000] as const;

/** The other end. */
export interface FarEnd {
  onBytes(text: string): void;
  /** The gateway sends nothing more: FIN, or the connection is gone. */
  onGone(): void;
}

/** As much of net.Socket as codecs use. */
class WireSocket extends EventEmitter {
  destroyed = false;
  readonly connecting = false;
  readonly writableLength = 0;
  readonly writableNeedDrain = false;
  readonly #wire: Wire;

  constructor(wire: Wire) {
    super();
    this.#wire = wire;
  }

  write(data: string | Buffer, ...rest: readonly unknown[]): boolean {
    const done = rest.find((one) => typeof one === "function");
    invariant(done !== undefined, "codecs want to know when a write is done");
    this.#wire.take(data, () => void Reflect.apply(done, undefined, []));
    return false;
  }

  end(): this {
    this.#wire.finish();
    return this;
  }

  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.#wire.drop();
    process.nextTick(() => {
      if (error !== undefined) this.emit("error", error);
      this.emit("close");
    });
    return this;
  }

  pause(): this {
    this.#wire.isPaused = true;
    return this;
  }

  resume(): this {
    this.#wire.isPaused = false;
    return this;
  }
}

/** One connection. */
export class Wire {
  readonly socket: Socket;
  readonly inlet = new Inlet();
  isPaused = false;
  /** The other end reads nothing. */
  isClogged = false;
  far: FarEnd | undefined = undefined;
  readonly #socket = new WireSocket(this);
  readonly #random: () => number;
  #memory: Buffer;
  /** To the gateway. */
  #inbound = "";
  #inboundEnds: "no" | "fin" | "reset" = "no";
  #inboundOver = false;
  /** From the gateway: what is not with the kernel yet, and what is. */
  readonly #writes: { data: string | Buffer; done: () => void }[] = [];
  #kernel = "";
  #ends = false;
  #finished = false;
  #gone = false;

  constructor(random: () => number) {
    this.socket = this.#socket as unknown as Socket;
    this.#random = random;
    this.inlet.attach(this.socket);
    this.#memory = this.inlet.onread.buffer() ?? Buffer.alloc(0);
  }

  /** Nothing is on its way in either direction, or can be. */
  get isQuiet(): boolean {
    const inbound = this.isPaused || (this.#inbound === "" && (this.#inboundEnds === "no" || this.#inboundOver));
    const outbound = this.#kernel === "" && this.#writes.length === 0 && this.#ends === this.#finished;
    return this.#socket.destroyed ? this.#gone : inbound && (this.isClogged || outbound);
  }

  get isGone(): boolean {
    return this.#socket.destroyed && this.#gone;
  }

  /** By the other end. */
  send(text: string): void {
    if (this.#inboundEnds === "no") this.#inbound += text;
  }

  /** By the other end: FIN behind what was sent; or a reset, which overtakes what is not read. */
  end(how: "fin" | "reset"): void {
    if (this.#inboundEnds === "no") this.#inboundEnds = how;
    if (how === "reset") this.#inboundEnds = how;
  }

  take(data: string | Buffer, done: () => void): void {
    if (!this.#ends) this.#writes.push({ data, done });
  }

  finish(): void {
    this.#ends = true;
  }

  drop(): void {
    this.#writes.length = 0;
    this.#inbound = "";
    this.inlet.close();
  }

  /** A little time goes by. */
  turn(): void {
    this.#turnOutbound();
    if (!this.#socket.destroyed) this.#turnInbound();
  }

  #turnOutbound(): void {
    this.#fillKernel();
    if (this.isClogged && !this.#socket.destroyed) return;
    const count = this.#random() < 0.7 ? this.#cut() : 0;
    const text = this.#kernel.slice(0, count);
    if (count > 0) this.#kernel = this.#kernel.slice(count);
    if (text !== "" && !this.#gone) this.far?.onBytes(text);
    if (this.#kernel === "" && this.#writes.length === 0) this.#settleEnds();
  }

  #fillKernel(): void {
    while (this.#kernel.length < KERNEL && !this.#socket.destroyed) {
      const write = this.#writes.shift();
      if (write === undefined) break;
      // memory is given back with the write: what was written is what it is now
      this.#kernel += typeof write.data === "string" ? write.data : write.data.toString("latin1");
      write.done();
    }
  }

  /** All that the gateway has written was read. */
  #settleEnds(): void {
    if (this.#ends && !this.#finished) {
      this.#finished = true;
      this.#socket.emit("finish");
    }
    if (this.#finished || this.#socket.destroyed) this.#leave();
    if (this.#finished && this.#inboundOver) this.#socket.destroy();
  }

  #cut(): number {
    return pick(this.#random, this.#random() < 0.2 ? SMALL_CUTS : LARGE_CUTS);
  }

  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.far?.onGone();
  }

  #turnInbound(): void {
    if (this.#inboundEnds === "reset" && below(this.#random, 4) === 0) {
      this.#inboundOver = true;
      this.#kernel = "";
      this.#socket.destroy(new Error("ECONNRESET"));
      return;
    }
    if (this.isPaused) return;
    if (this.#inbound !== "") this.#deliver();
    else if (this.#inboundEnds === "fin" && !this.#inboundOver) {
      this.#inboundOver = true;
      this.#socket.emit("end");
    }
  }

  #deliver(): void {
    if (this.#random() < 0.2) return;
    const { onread } = this.inlet;
    const count = Math.min(this.#inbound.length, this.#memory.length, this.#cut());
    this.#memory.write(this.#inbound, 0, count, "latin1");
    this.#inbound = this.#inbound.slice(count);
    if (!onread.callback(count, this.#memory)) this.isPaused = true;
    // as Node: what the next read goes to is asked for behind this one
    if (!this.#socket.destroyed) this.#memory = onread.buffer() ?? this.#memory;
  }
}
