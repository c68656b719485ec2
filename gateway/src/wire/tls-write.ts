/**
 * Text straight to the handle of a TLS socket. Unlike TCP's, its writes never complete at once: Node reports each a turn
 * later, and allows one at a time. So the text of one write is out, and what comes meanwhile is kept and follows it. Left
 * out is what net.Socket does around a write; requests are used again.
 *
 * This leans on what Node does not document, so it is tried first and reports failure; then the socket itself writes. The
 * socket must not write while a write is out (Node would abort), so everything that writes or ends asks `busy` first.
 */
import type { Socket } from "node:net";
import { captureRequest, isStreamHandle, type StreamHandle, type WriteRequest } from "./direct-write.ts";

/** Longer texts are the socket's: they take several turns to be encrypted and sent. */
const LONGEST = 28_672;
/** With so much kept, more should wait. */
const MUCH = 16_384;

/** A request names no handle: it outlives the socket it was last used for. */
interface TlsRequest extends Omit<WriteRequest, "handle"> {
  writer: TlsWriter | undefined;
}

/** A TLS handle as it is used here. */
interface TlsHandle {
  writeLatin1String(request: object, text: string): number;
}

/** Requests kept for later. */
const SPARES = 1024;

/** Requests that are in no write. */
const spares: TlsRequest[] = [];
/** The request reported last: Node lets go of it only after it has called back. */
let reported: TlsRequest | undefined;

/** Writes to one TLS socket. */
export class TlsWriter {
  readonly #socket: Socket;
  readonly #Request: new () => WriteRequest;
  readonly #onDrain: () => void;
  readonly #handle: TlsHandle;
  /** The TCP handle below. */
  readonly #carrier: StreamHandle;
  #busy = false;
  #slow = false;
  #kept = "";
  #ends = false;

  private constructor(socket: Socket, handles: readonly [StreamHandle, StreamHandle], options: WriterOptions) {
    this.#socket = socket;
    [this.#handle, this.#carrier] = handles;
    this.#Request = options.request;
    this.#onDrain = options.onDrain;
  }

  /** One for an established TLS socket; undefined where this Node does not allow it. */
  static of(socket: Socket, onDrain: () => void): TlsWriter | undefined {
    const request = captureRequest();
    const handle: unknown = Reflect.get(socket, "_handle");
    if (request === undefined || !isStreamHandle(handle)) return undefined;
    const carrier: unknown = Reflect.get(handle, "_parent");
    return isStreamHandle(carrier) ? new TlsWriter(socket, [handle, carrier], { request, onDrain }) : undefined;
  }

  /** A write is out: the socket itself must neither write nor end. */
  get busy(): boolean {
    return this.#busy;
  }

  /** More should wait for onDrain. */
  get clogged(): boolean {
    return this.#slow || this.#kept.length > MUCH;
  }

  /** Writes latin1 text, or keeps it while a write is out. False: nothing was done, the socket has to. */
  write(text: string): boolean {
    if (this.#busy) {
      this.#kept += text;
      return true;
    }
    const socket = this.#socket;
    if (text.length > LONGEST || socket.writableLength > 0 || socket.destroyed || socket.writableEnded) return false;
    const request = spares.pop() ?? this.#newRequest();
    request.writer = this;
    const status = this.#handle.writeLatin1String(request, text);
    if (status !== 0) {
      socket.destroy(new Error(`write failed (${status})`));
      return true;
    }
    this.#busy = true;
    this.#slow = this.#carrier.writeQueueSize > 0;
    return true;
  }

  /** Ends the socket behind what is out and kept. False: nothing is, the socket can end itself. */
  end(): boolean {
    if (this.#busy) this.#ends = true;
    return this.#busy;
  }

  /** Node's report. */
  complete(status: number): void {
    const socket = this.#socket;
    const wasClogged = this.clogged;
    this.#busy = this.#slow = false;
    if (socket.destroyed) return;
    if (status < 0) {
      socket.destroy(new Error(`write failed (${status})`));
      return;
    }
    const kept = this.#kept;
    this.#kept = "";
    if (kept !== "" && !this.write(kept)) socket.write(kept, "latin1");
    if (this.#ends && !this.#busy) socket.end();
    // otherwise the socket's own drain event comes, or the next report
    else if (wasClogged && !this.clogged && !(socket.writableNeedDrain && socket.writableLength > 0)) this.#onDrain();
  }

  #newRequest(): TlsRequest {
    const request: TlsRequest = Object.assign(new this.#Request(), {
      oncomplete: (status: number) => report(request, status),
      async: true,
      bytes: 0,
      writer: undefined,
    });
    return request;
  }
}

interface WriterOptions {
  readonly request: new () => WriteRequest;
  readonly onDrain: () => void;
}

function report(request: TlsRequest, status: number): void {
  const { writer } = request;
  request.writer = undefined;
  if (reported !== undefined && spares.length < SPARES) spares.push(reported);
  reported = request;
  writer?.complete(status);
}
