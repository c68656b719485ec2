// Asks whether datagrams come back.
import { createSocket } from "node:dgram";
import { once } from "node:events";

/** Sends one datagram and resolves when it has returned; rejects after half a second. */
export async function askEcho(port: number): Promise<void> {
  const socket = createSocket("udp4");
  try {
    socket.send("ready?", port, "127.0.0.1");
    await once(socket, "message", { signal: AbortSignal.timeout(500) });
  } finally {
    socket.close();
  }
}
