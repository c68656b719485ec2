// A relay in front of a port that decides in which pieces the first bytes of a client arrive, and what comes before them.
import { connect, createServer, type Socket } from "node:net";

/** What the relay does to the first segment of a client. */
export interface RelayOptions {
  /** Bytes in front of it, in the same segment. */
  readonly prefix?: Buffer;
  /** Where it is cut; each part is sent once the one before has left. */
  readonly cuts?: (first: Buffer) => readonly number[];
}

/** A relay, and what the port sent back to the last client, raw. */
export interface Relay {
  readonly port: number;
  readonly received: () => Buffer;
  close(): void;
}

/** Opens one; `target` is a port on loopback. */
export async function openRelay(target: number, options: RelayOptions = {}): Promise<Relay> {
  let received: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    received = [];
    const upstream = connect({ port: target, host: "127.0.0.1", noDelay: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => sockets.delete(socket));
    }
    client.once("data", (first: Buffer) => {
      client.pause();
      void sendFirst(upstream, first, options).then(() => {
        client.on("data", (bytes: Buffer) => upstream.write(bytes));
        client.resume();
      });
    });
    client.on("end", () => upstream.end());
    upstream.on("data", (bytes: Buffer) => {
      received.push(bytes);
      client.write(bytes);
    });
    upstream.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    port,
    received: () => Buffer.concat(received),
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function sendFirst(upstream: Socket, first: Buffer, options: RelayOptions): Promise<void> {
  const bytes = Buffer.concat([options.prefix ?? Buffer.alloc(0), first]);
  const cuts = [...(options.cuts?.(bytes) ?? []), bytes.length];
  let from = 0;
  for (const to of cuts) {
    const part = bytes.subarray(from, to);
    from = to;
    // with TCP_NODELAY each write that has left is a segment, and a turn later the other side has read it
    await new Promise<void>((resolve) => {
      upstream.write(part, () => setImmediate(resolve));
    });
  }
}
