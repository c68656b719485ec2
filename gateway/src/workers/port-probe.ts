/**
 * Tries a port before workers share it. With SO_REUSEPORT the kernel lets a second process of the same user bind a port
 * that is taken, and splits connections between the two; an exclusive bind shows it.
 */
import { createServer } from "node:net";

/** Binds the port exclusively and lets go of it; resolves with its number (for port 0), rejects with the system's error. */
export function probePort(transport: "stream" | "datagram", address: string, port: number): Promise<number> {
  return transport === "stream" ? probeStream(address, port) : probeDatagram(address, port);
}

function probeStream(address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", reject);
    server.listen({ host: address, port, exclusive: true }, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === "object" && bound !== null ? bound.port : port));
    });
  });
}

function probeDatagram(address: string, port: number): Promise<number> {
  // loaded here, because a gateway without UDP does without it
  const { createSocket } = process.getBuiltinModule("node:dgram");
  return new Promise((resolve, reject) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      const bound = socket.address().port;
      socket.close(() => resolve(bound));
    });
  });
}
