/** HTTP/1.1 against the contract of codecs, both roles. */
import type { TestContext } from "node:test";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { once } from "node:events";
import { eventually } from "@sallyport/testkit/eventually";
import { RawClient } from "@sallyport/testkit/raw-client";
import { StrictReader, type Message } from "@sallyport/testkit/strict-http";
import type { UpstreamTlsSettings } from "../../src/cluster/contract.ts";
import { openHttp1 } from "../../src/http1/client.ts";
import { toOpening, toUpstreamDependencies } from "../codec/opening.ts";
import { testDownstreamCodec, type ClientRequest, type ClientStream } from "../codec/downstream.contract.ts";
import type { HandUpstream } from "../codec/hand-upstream.ts";
import { testUpstreamCodec, type ServerStream, type UpstreamCodec } from "../codec/upstream.contract.ts";
import { createTlsUpstream } from "../wire/tls-settings.ts";
import { openRig } from "./rig.ts";

type Listen = (accept: (socket: Socket) => void) => Server;
type Opened = Awaited<ReturnType<UpstreamCodec["open"]>>;
type Pairs = readonly (readonly [string, string])[];

const toLines = (fields: Pairs): string => fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
const toFieldPairs = (fields: Message["trailers"]): Pairs => fields.map(({ name, value }) => [name, value] as const);
const toChunk = (piece: string): string => `${piece.length.toString(16)}\r\n${piece}\r\n`;

async function request(t: TestContext, upstream: HandUpstream, wanted: ClientRequest): Promise<ClientStream> {
  const rig = await openRig(t, { backend: { cluster: upstream }, onRecord: (record) => upstream.records.push(record) });
  const client = await RawClient.open({ port: rig.port });
  t.after(() => client.close());
  const { body } = wanted;
  const framing =
    body === undefined
      ? ""
      : body.length === undefined
        ? "Transfer-Encoding: chunked\r\n"
        : `Content-Length: ${body.length}\r\n`;
  await client.send(`${wanted.method} ${wanted.path} HTTP/1.1\r\nHost: x\r\n${toLines(wanted.fields)}${framing}\r\n`);
  return {
    send: (piece) => client.send(body?.length === undefined ? toChunk(piece) : piece),
    end: (trailers = []) => {
      if (body?.length === undefined) void client.send(`0\r\n${toLines(trailers)}\r\n`);
    },
    pause: () => void client.socket.pause(),
    resume: () => void client.socket.resume(),
    vanish: () => client.reset(),
    get interim() {
      return client.interim.map(({ status }) => status);
    },
    get status() {
      return client.responses[0]?.status ?? 0;
    },
    get body() {
      return client.responses[0]?.body ?? "";
    },
    get trailers() {
      return toFieldPairs(client.responses[0]?.trailers ?? []);
    },
    get state() {
      if (client.responses[0]?.complete === true) return "whole";
      return client.state === "open" ? "open" : "cut";
    },
  };
}

testDownstreamCodec({ name: "HTTP/1.1", raw: true, request });

/** One request on a server's connection. */
function toServerStream(socket: Socket, message: Message): ServerStream {
  let chunked = false;
  return {
    method: message.method,
    path: message.target,
    fields: toFieldPairs([...message.fields]),
    get body() {
      return message.body;
    },
    get trailers() {
      return toFieldPairs(message.trailers);
    },
    get ended() {
      return message.complete;
    },
    get gone() {
      return socket.readableEnded || socket.destroyed;
    },
    head: (status, length) => {
      chunked = length === undefined;
      const framing = length === undefined ? "Transfer-Encoding: chunked" : `Content-Length: ${length}`;
      socket.write(`HTTP/1.1 ${status} X\r\nDate: x\r\n${framing}\r\n\r\n`);
    },
    send: (piece) =>
      new Promise((resolve) => {
        socket.write(chunked ? toChunk(piece) : piece, "latin1", () => resolve());
      }),
    end: (trailers = []) => {
      if (chunked) socket.write(`0\r\n${toLines(trailers)}\r\n`);
    },
    vanish: () => void socket.destroy(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
  };
}

/** A server of ours that notes its requests, and a connection to it. */
async function openUpstream(t: TestContext, listen: Listen, tls: UpstreamTlsSettings | undefined): Promise<Opened> {
  const streams: ServerStream[] = [];
  const sockets: Socket[] = [];
  const server = listen((socket) => {
    sockets.push(socket);
    const reader = new StrictReader({
      role: "request",
      onHead: (message) => void streams.push(toServerStream(socket, message)),
    });
    socket.on("data", (bytes) => reader.push(bytes));
    socket.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const owner = { connected: 0, idle: 0, closed: 0 };
  const connection = openHttp1({ ...toOpening(port, owner), tls }, toUpstreamDependencies());
  t.after(() => {
    connection.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { connection, owner, next: () => eventually(() => streams.shift(), { what: "a request" }) };
}

testUpstreamCodec({
  name: "HTTP/1.1",
  open: (t) => openUpstream(t, (accept) => createServer({ allowHalfOpen: true }, accept), undefined),
});

const { settings, certified } = await createTlsUpstream();

testUpstreamCodec({
  name: "HTTP/1.1 over TLS",
  open: (t) => openUpstream(t, (accept) => createTlsServer({ ...certified, allowHalfOpen: true }, accept), settings),
});
