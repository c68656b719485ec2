/** What tests of backpressure share: a sender that never tires, and waiting for a standstill. */
import type { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { eventually } from "@sallyport/testkit/eventually";

const PIECE = Buffer.alloc(65_536, "x");

/** Writes as fast as the other side takes it; counts what was taken. */
export function pour(socket: Socket, total: number): { sent: number } {
  const state = { sent: 0 };
  const more = (): void => {
    while (!socket.destroyed && state.sent < total) {
      state.sent += PIECE.length;
      if (!socket.write(PIECE)) return;
    }
  };
  socket.on("drain", more);
  more();
  return state;
}

/** Resolves with the value once it stays the same for a while. */
export async function settled(read: () => number): Promise<number> {
  let last = -1;
  await eventually(
    async () => {
      const before = read();
      await setTimeout(100);
      const same = before === read() && before === last;
      last = read();
      return same;
    },
    { within: 30_000, what: "a standstill" },
  );
  return last;
}
