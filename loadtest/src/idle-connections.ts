// Many client connections that make one request each and then stay open.
import type { Socket } from "node:net";
import { AnswerReader } from "./open-loop/answer-reader.ts";
import type { Opener } from "./open-loop/opener.ts";

/** Connections that are being held. */
export interface HeldConnections {
  /** How many the other side has not closed. */
  open(): number;
  close(): void;
}

/** Connections opened at once: few, so that the proxy needs no more upstream connections than in any other scenario. */
const atOnce = 32;

/** Opens so many connections, each of which gets one answer; rejects when one of them does not. */
export async function holdConnections(opener: Opener, request: Buffer, count: number): Promise<HeldConnections> {
  const sockets: Socket[] = [];
  const held: HeldConnections = {
    open: () => sockets.filter((socket) => !socket.destroyed && socket.readable).length,
    close: () => sockets.forEach((socket) => socket.destroy()),
  };
  const openSome = async (): Promise<void> => {
    while (sockets.length < count) {
      await new Promise<void>((resolve, reject) => {
        sockets.push(openOne({ opener, request, resolve, reject }));
      });
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, openSome));
  } catch (error) {
    held.close();
    throw error;
  }
  return held;
}

interface Opening {
  readonly opener: Opener;
  readonly request: Buffer;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

function openOne({ opener, request, resolve, reject }: Opening): Socket {
  const reader = new AnswerReader();
  const socket = opener.open((bytes) => {
    const progress = reader.push(bytes);
    if (progress.kind === "complete" && progress.status === 200) resolve();
    else if (progress.kind !== "more") reject(new Error(`unexpected answer: ${JSON.stringify(progress)}`));
  });
  socket.on("error", reject);
  socket.on("close", () => reject(new Error("the proxy closed a connection before its answer")));
  socket.once(opener.openEvent, () => socket.write(request));
  return socket;
}
