/**
 * The lingering close of a connection: FIN goes out behind the last byte, and what the peer sends after that is read and forgotten for a
 * while. To close at once would answer it with a reset, which eats what was written last (RFC 9112 section 9.6).
 */
import type { Socket } from "node:net";
import type { Timed, Wheel } from "../time/wheel.ts";

/** Milliseconds that what has ended is read on. */
export const LINGER = 1500;

/**
 * Lingers behind a last answer of which the kernel has not taken all: a client that still reads it must not lose the rest. It is waited
 * for as during an answer, `patience` milliseconds, until FIN is out too. For a socket that is ended, or will be in this turn.
 */
export function lingerBehindAnswer(connection: Timed, wheel: Wheel, socket: Socket, patience: number): void {
  wheel.arm(connection, patience);
  socket.once("finish", () => wheel.arm(connection, LINGER));
}
