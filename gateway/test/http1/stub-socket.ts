/** A socket without a network: tests push bytes in and read what was written. */
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";

/** As much of net.Socket as codecs use. Writes are taken at once, or held back while `clogged`. */
export class StubSocket extends EventEmitter {
  written = "";
  destroyed = false;
  ended = false;
  reset = false;
  paused = false;
  clogged = false;
  writableLength = 0;
  writableNeedDrain = false;

  /** Given out as what codecs expect. */
  get socket(): Socket {
    return this as unknown as Socket;
  }

  write(data: string | Buffer, ...rest: unknown[]): boolean {
    const done = rest.find((one) => typeof one === "function");
    this.written += typeof data === "string" ? data : data.toString("latin1");
    if (!this.clogged) {
      if (done !== undefined) process.nextTick(() => void Reflect.apply(done, undefined, []));
      return true;
    }
    this.writableLength += data.length;
    this.writableNeedDrain = true;
    return false;
  }

  /** The other side reads again. */
  unclog(): void {
    this.clogged = false;
    this.writableLength = 0;
    this.writableNeedDrain = false;
    this.emit("drain");
  }

  end(): this {
    this.ended = true;
    return this;
  }

  destroy(): this {
    this.destroyed = true;
    return this;
  }

  resetAndDestroy(): this {
    this.reset = true;
    return this.destroy();
  }

  pause(): this {
    this.paused = true;
    return this;
  }

  resume(): this {
    this.paused = false;
    return this;
  }
}
