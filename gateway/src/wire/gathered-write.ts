/**
 * Writes to a socket one after the other, at most one at a time: whoever gathers output gives the next when the last is with
 * the kernel. A text costs no buffer; bytes are written from where they are, which must stay as they are until then.
 *
 * The `tuned` way goes straight to the handle, with requests that are used again (see direct-write.ts and tls-write.ts, which
 * serve codecs that write more than one piece at a time). It leans on what Node does not document and is tried first; the
 * `documented` way is the socket's own write().
 */
import type { Socket } from "node:net";
import { captureRequest, isStreamHandle, type StreamHandle, type WriteRequest } from "./direct-write.ts";
import type { SocketWays } from "./outlet.ts";

/** Node's WriteWrap, as it is used here; it names no handle, so that it may outlive the socket. */
interface GatheredRequest extends Omit<WriteRequest, "handle"> {
  writer: GatheredWriter | undefined;
  /** Keeps the memory alive while libuv writes from it. */
  buffer: Buffer | undefined;
}

/** As much as is used of a handle. */
interface GatheredHandle extends Pick<StreamHandle, "writeQueueSize"> {
  writeLatin1String(request: object, text: string): number;
  writeBuffer(request: object, bytes: Buffer): number;
}

/** Requests kept for later. */
const SPARES = 256;
const spares: GatheredRequest[] = [];
/** The request reported last: Node lets go of it only after it has called back. */
let reported: GatheredRequest | undefined;

/** Writes to one socket. */
export class GatheredWriter {
  readonly #socket: Socket;
  readonly #onWritten: () => void;
  readonly #Request: (new () => WriteRequest) | undefined;
  readonly #isSecure: boolean;
  #handle: GatheredHandle | undefined = undefined;
  #busy = false;
  #done: (() => void) | undefined = undefined;

  /** `onWritten`: the write that made it busy is with the kernel. Not called once the socket is destroyed. */
  constructor(socket: Socket, ways: SocketWays, onWritten: () => void) {
    this.#socket = socket;
    this.#onWritten = onWritten;
    this.#isSecure = "encrypted" in socket;
    this.#Request = ways === "tuned" ? captureRequest() : undefined;
  }

  /** A write is out: there must not be another, nor an end. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Writes latin1 text, not empty. May be done when it returns, or be busy. */
  writeText(text: string): void {
    const request = this.#begin();
    if (request === undefined) this.#socket.write(text, "latin1", this.#complete());
    else if (this.#handle !== undefined) this.#settle(request, this.#handle.writeLatin1String(request, text));
  }

  /** Writes bytes, not empty. */
  writeBytes(bytes: Buffer): void {
    const request = this.#begin();
    if (request === undefined) this.#socket.write(bytes, this.#complete());
    else if (this.#handle !== undefined) {
      request.buffer = bytes;
      this.#settle(request, this.#handle.writeBuffer(request, bytes));
    }
  }

  /** Node's report; 0 or an error number. */
  complete(status: number): void {
    this.#busy = false;
    if (this.#socket.destroyed) return;
    if (status < 0) this.#socket.destroy(new Error(`write failed (${status})`));
    else this.#onWritten();
  }

  /** A request for a direct write; undefined where the socket must write. */
  #begin(): GatheredRequest | undefined {
    const socket = this.#socket;
    this.#busy = true;
    if (this.#Request === undefined || socket.connecting || socket.writableLength > 0) return undefined;
    this.#handle ??= findHandle(socket);
    if (this.#handle === undefined) return undefined;
    const request = spares.pop() ?? newRequest(this.#Request);
    request.writer = this;
    return request;
  }

  #settle(request: GatheredRequest, status: number): void {
    if (status !== 0) {
      release(request);
      this.#busy = false;
      this.#socket.destroy(new Error(`write failed (${status})`));
      return;
    }
    // TLS reports every write a turn later; TCP calls nobody back for what the kernel took at once
    if (this.#isSecure || (this.#handle?.writeQueueSize ?? 0) > 0) return;
    release(request);
    this.#busy = false;
  }

  #complete(): () => void {
    this.#done ??= () => this.complete(0);
    return this.#done;
  }
}

function newRequest(Request: new () => WriteRequest): GatheredRequest {
  const request: GatheredRequest = Object.assign(new Request(), {
    oncomplete: (status: number) => report(request, status),
    async: false,
    bytes: 0,
    writer: undefined,
    buffer: undefined,
  });
  return request;
}

/** It is in no write any more, and Node does not hold it. */
function release(request: GatheredRequest): void {
  request.writer = undefined;
  request.buffer = undefined;
  if (spares.length < SPARES) spares.push(request);
}

function report(request: GatheredRequest, status: number): void {
  const { writer } = request;
  request.writer = undefined;
  request.buffer = undefined;
  if (reported !== undefined && spares.length < SPARES) spares.push(reported);
  reported = request;
  writer?.complete(status);
}

function findHandle(socket: Socket): GatheredHandle | undefined {
  const handle: unknown = Reflect.get(socket, "_handle");
  return isStreamHandle(handle) && isGathered(handle) ? handle : undefined;
}

function isGathered(handle: StreamHandle): handle is StreamHandle & GatheredHandle {
  return "writeBuffer" in handle && typeof handle.writeBuffer === "function";
}
