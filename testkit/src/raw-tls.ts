// TLS clients that send what ordinary ones never would: hellos made by hand, cut into pieces, with bytes in front.
import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectSecurely, type ConnectionOptions, type TLSSocket } from "node:tls";

/** A ClientHello made by hand. Names and protocols are latin1 text and are not checked. */
export interface HelloOptions {
  /** Entries of the server_name extension; empty: no such extension. */
  readonly names?: readonly { readonly type?: number; readonly name: string }[];
  readonly protocols?: readonly string[];
  /** Further extensions, whole. */
  readonly extensions?: readonly Buffer[];
  /** Zero bytes in a padding extension. */
  readonly padding?: number;
  /** Content bytes of each record, the last one again and again; absent: one record. */
  readonly records?: readonly number[];
}

/** The records of a ClientHello. */
export function buildClientHello(options: HelloOptions = {}): Buffer {
  const { names = [], protocols = [], extensions = [], padding = 0, records = [16_384] } = options;
  const all = [
    ...(names.length > 0 ? [toExtension(0, vector(2, ...names.map(toServerName)))] : []),
    ...(protocols.length > 0 ? [toExtension(16, vector(2, ...protocols.map((name) => vector(1, latin1(name)))))] : []),
    ...extensions,
    ...(padding > 0 ? [toExtension(21, Buffer.alloc(padding))] : []),
  ];
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(32, 9)),
    vector(2, Buffer.from([0x13, 0x01, 0xc0, 0x2b])),
    vector(1, Buffer.from([0])),
    vector(2, ...all),
  ]);
  const message = Buffer.concat([Buffer.from([1, 0, body.length >> 8, body.length & 255]), body]);
  return toRecords(message, records);
}

/** Cuts a handshake message into records of these sizes, the last one again and again. */
export function toRecords(message: Buffer, sizes: readonly number[]): Buffer {
  const out: Buffer[] = [];
  for (let at = 0, index = 0; at < message.length; index++) {
    const size = Math.min(sizes[Math.min(index, sizes.length - 1)] ?? 16_384, message.length - at);
    out.push(Buffer.from([0x16, 3, 1, size >> 8, size & 255]), message.subarray(at, at + size));
    at += size;
  }
  return Buffer.concat(out);
}

/** An extension of this type. */
export function toExtension(type: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type >> 8, type & 255]), vector(2, body)]);
}

function toServerName({ type = 0, name }: { readonly type?: number; readonly name: string }): Buffer {
  return Buffer.concat([Buffer.from([type]), vector(2, latin1(name))]);
}

function vector(size: 1 | 2, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = Buffer.alloc(size);
  length.writeUIntBE(content.length, 0, size);
  return Buffer.concat([length, content]);
}

function latin1(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

/** The first flight of Node's own TLS client. */
export async function captureClientHello(options: ConnectionOptions): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const transport = new Duplex({
    read: () => undefined,
    write: (bytes: Buffer, _encoding, done) => {
      resolve(bytes);
      done();
    },
  });
  const client = connectSecurely({ ...options, socket: transport });
  client.on("error", () => undefined);
  const hello = await promise;
  client.destroy();
  transport.destroy();
  return hello;
}

/** How a first flight is sent. */
export interface PiecewiseOptions extends ConnectionOptions {
  readonly port: number;
  /** Goes out in front of the hello, in the same write as its first piece. */
  readonly prefix?: Buffer;
  /** Where the hello is cut. */
  readonly cuts: readonly number[];
  /** Awaited between two pieces; resolve it when the server has seen what was sent. */
  readonly between: () => Promise<unknown>;
}

/** A TLS client whose first flight goes out in pieces. Destroying it destroys the connection. */
export function connectPiecewise(options: PiecewiseOptions): TLSSocket {
  const raw = connect({ port: options.port, host: "127.0.0.1", noDelay: true });
  raw.on("error", () => undefined);
  const transport = toTransport(raw, options);
  const client = connectSecurely({ ...options, socket: transport });
  client.on("error", () => undefined);
  client.on("close", () => raw.destroy());
  return client;
}

function toTransport(raw: Socket, { prefix = Buffer.alloc(0), cuts, between }: PiecewiseOptions): Duplex {
  let first = true;
  const sendFirst = async (bytes: Buffer): Promise<void> => {
    const ends = [...cuts.filter((cut) => cut < bytes.length), bytes.length];
    for (const [index, end] of ends.entries()) {
      const piece = bytes.subarray(ends[index - 1] ?? 0, end);
      await send(raw, index === 0 ? Buffer.concat([prefix, piece]) : piece);
      if (end < bytes.length) await between();
    }
  };
  const transport = new Duplex({
    read: () => undefined,
    write: (bytes: Buffer, _encoding, done) => {
      const sent = first ? sendFirst(bytes) : send(raw, bytes);
      first = false;
      void settle(sent, done);
    },
    final: (done) => void raw.end(done),
    destroy: (_error, done) => {
      raw.destroy();
      done(null);
    },
  });
  raw.on("data", (bytes) => transport.push(bytes));
  raw.on("end", () => transport.push(null));
  raw.on("close", () => transport.destroy());
  return transport;
}

async function settle(sent: Promise<void>, done: (error?: Error) => void): Promise<void> {
  try {
    await sent;
    done();
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)));
  }
}

function send(raw: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    raw.write(bytes, (error) => (error instanceof Error ? reject(error) : resolve()));
  });
}
