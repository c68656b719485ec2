/** Clients and backends for tests of what happens before a connection is served. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectPlain, createServer, type AddressInfo, type Server } from "node:net";
import type { TestContext } from "node:test";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { eventually } from "@sallyport/testkit/eventually";
import type { CompiledStreamRoute } from "../../src/router/contract.ts";
import type { Rig } from "../http1/rig.ts";

/** A TLS client; resolves when its handshake is done, rejects where that fails. */
export async function connectTls(t: TestContext, port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  t.after(() => socket.destroy());
  await once(socket, "secureConnect");
  socket.on("error", () => undefined);
  return socket;
}

/** Sends text and resolves with what came back, once the end is as expected or the connection is over. */
export async function converse(socket: TLSSocket, text: string, end: string): Promise<string> {
  let received = "";
  const take = (bytes: Buffer): void => {
    received += bytes.toString("latin1");
  };
  socket.on("data", take);
  socket.write(text, "latin1");
  await eventually(() => socket.destroyed || received.endsWith(end), { what: "the answer" });
  socket.off("data", take);
  return received;
}

/** Whether a request on this connection is answered, which a client of TLS 1.3 cannot know from the handshake. */
export async function isServed(socket: TLSSocket): Promise<boolean> {
  return (await converse(socket, "GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n", "ok")).startsWith("HTTP/1.1 200");
}

/** Whether a client with these options gets through and is served. */
export async function isLetIn(t: TestContext, port: number, options: ConnectionOptions): Promise<boolean> {
  const socket = await connectTls(t, port, options).catch(() => undefined);
  if (socket === undefined) return false;
  const served = await isServed(socket);
  socket.destroy();
  return served;
}

/** A served connection and the session it can be resumed with. */
export async function earnSession(t: TestContext, port: number, options: ConnectionOptions): Promise<Buffer> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  t.after(() => socket.destroy());
  socket.on("error", () => undefined);
  let session: Buffer | undefined;
  // of TLS 1.3 the first of two will do
  socket.on("session", (bytes: Buffer) => {
    session ??= bytes;
  });
  await once(socket, "secureConnect");
  assert.ok(await isServed(socket), "the first connection is served");
  await eventually(() => session !== undefined, { what: "a session" });
  socket.destroy();
  assert.ok(session !== undefined);
  return session;
}

/** What a raw client sees: all bytes until the connection is over. */
export async function sendRaw(t: TestContext, port: number, bytes: Buffer | string): Promise<Buffer> {
  const socket = connectPlain({ port, host: "127.0.0.1" });
  t.after(() => socket.destroy());
  const received: Buffer[] = [];
  socket.on("data", (piece) => received.push(piece));
  socket.on("error", () => undefined);
  socket.write(bytes);
  await once(socket, "close");
  return Buffer.concat(received);
}

/** A backend that sends back what it gets; `greeting` is sent first. Closes with the test. */
export async function openEcho(t: TestContext, greeting = ""): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on("error", () => undefined);
    if (greeting !== "") socket.write(greeting);
    socket.pipe(socket);
    t.after(() => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const address: AddressInfo | string | null = server.address();
  assert.ok(address !== null && typeof address !== "string");
  return address.port;
}

/** A route to the upstream of a rig that is opened later. */
export function toStreamRoute(rig: () => Rig): CompiledStreamRoute {
  return { key: "tcp/test/route", pick: () => ({ cluster: rig().cluster, invalid: "" }) };
}
