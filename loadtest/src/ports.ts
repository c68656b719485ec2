// Hands out ports that nobody listens on, neither for TCP nor for UDP, below the range from which the kernel takes outgoing ports: a port from that
// range may be taken by a connection of the load itself before the listener gets to it.
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

const lowest = 20_000;
const highest = 32_000;

/** A source of ports that are free now and are never handed out twice. */
export class Ports {
  #next: number;

  /** Begins somewhere else each time, so that two runs at once rarely meet. */
  constructor(random: () => number = Math.random) {
    this.#next = lowest + Math.floor(random() * (highest - lowest));
  }

  /** A free port on all addresses; throws when the whole range is taken. */
  async take(): Promise<number> {
    for (let tried = lowest; tried < highest; tried++) {
      const port = this.#next;
      this.#next = port + 1 < highest ? port + 1 : lowest;
      if (await isFree(port)) return port;
    }
    throw new Error(`no free port between ${lowest} and ${highest}`);
  }
}

async function isFree(port: number): Promise<boolean> {
  return (await isFreeForTcp(port)) && (await isFreeForUdp(port));
}

async function isFreeForUdp(port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  const free = await new Promise<boolean>((resolve) => {
    socket.once("error", () => resolve(false));
    socket.bind({ port, address: "0.0.0.0", exclusive: true }, () => resolve(true));
  });
  socket.close();
  return free;
}

async function isFreeForTcp(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ port, host: "0.0.0.0", exclusive: true }, () => resolve(true));
  });
  if (free)
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  return free;
}
