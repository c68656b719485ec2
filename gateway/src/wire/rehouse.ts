/**
 * Accepted sockets that read into memory of ours. Node offers `onread` for sockets one makes, not for those a server
 * accepts: there each read allocates 64 KiB, which is the largest single cost of a small request (measured: 1.2-2.8 us of
 * 16). So the accepted handle moves into a second socket; for TLS, whose socket cannot be made anew, the same three
 * properties are set from outside.
 *
 * Both ways lean on what Node does not document, so each is tried first and reports failure; then the `data` event serves.
 */
import { Socket } from "node:net";
import { invariant } from "@sallyport/model/result";
import type { Inlet } from "./inlet.ts";

/** A socket to connect, reading into the inlet's memory. This way is documented; only its types have no word for "the same". */
export function openSocket(inlet: Inlet): Socket {
  const socket: unknown = Reflect.construct(Socket, [{ allowHalfOpen: true, noDelay: true, onread: inlet.onread }]);
  invariant(socket instanceof Socket, "Socket constructs sockets");
  inlet.attach(socket);
  return socket;
}

/** A second socket around the handle of an accepted, paused one; undefined where this Node has no such handle. */
export function rehouse(accepted: Socket, inlet: Inlet): Socket | undefined {
  const handle: unknown = Reflect.get(accepted, "_handle");
  if (typeof handle !== "object" || handle === null || !("useUserBuffer" in handle)) return undefined;
  const options = { handle, allowHalfOpen: true, onread: inlet.onread };
  Reflect.set(accepted, "_handle", null);
  const socket: unknown = Reflect.construct(Socket, [options]);
  invariant(socket instanceof Socket, "Socket constructs sockets");
  // the server counts its connections by this; without it close() would never finish
  Reflect.set(socket, "_server", Reflect.get(accepted, "_server"));
  Reflect.set(socket, "server", Reflect.get(accepted, "server"));
  Reflect.set(accepted, "_server", null);
  inlet.attach(socket);
  return socket;
}

/** Makes an established TLS socket read into the inlet's memory. False where this Node does not allow it. */
export function adoptReads(socket: Socket, inlet: Inlet): boolean {
  const handle: unknown = Reflect.get(socket, "_handle");
  const symbols = findReadSymbols(socket);
  if (typeof handle !== "object" || handle === null || symbols === undefined) return false;
  const useUserBuffer: unknown = Reflect.get(handle, "useUserBuffer");
  if (typeof useUserBuffer !== "function") return false;
  const { onread } = inlet;
  const first = onread.buffer();
  Reflect.set(socket, symbols.buffer, first);
  Reflect.set(socket, symbols.generator, onread.buffer);
  Reflect.set(socket, symbols.callback, (count: number, bytes: Buffer) => onread.callback(count, bytes));
  Reflect.apply(useUserBuffer, handle, [first]);
  inlet.attach(socket);
  socket.resume();
  return true;
}

interface ReadSymbols {
  readonly buffer: symbol;
  readonly callback: symbol;
  readonly generator: symbol;
}

function findReadSymbols(socket: Socket): ReadSymbols | undefined {
  const symbols = Object.getOwnPropertySymbols(socket);
  const find = (name: string): symbol | undefined => symbols.find((symbol) => symbol.description === name);
  const buffer = find("kBuffer");
  const callback = find("kBufferCb");
  const generator = find("kBufferGen");
  if (buffer === undefined || callback === undefined || generator === undefined) return undefined;
  return { buffer, callback, generator };
}
