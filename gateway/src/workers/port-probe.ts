/**
 * Tries a port before workers share it. With SO_REUSEPORT the kernel lets a second process of the same user bind a port
 * that is taken, and splits connections between the two; an exclusive bind shows it.
 */
import { createServer } from "node:net";

/** Binds the port exclusively and lets go of it; resolves with its number (for port 0), rejects with the error of listen(). */
export function probePort(address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", reject);
    server.listen({ host: address, port, exclusive: true }, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === "object" && bound !== null ? bound.port : port));
    });
  });
}
