// The Echo service by grpc-js: what a call is to do is in its metadata, as for the Go server (go/server.go).
import type { EventEmitter } from "node:events";
import {
  type MethodDefinition,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  Metadata,
  Server,
  ServerCredentials,
  status,
} from "@grpc/grpc-js";
import { type CallKind, METHODS, digestOf, pattern } from "./calls.ts";

/** How to serve. */
export interface ServerOrder {
  /** PEM; both "" for cleartext. */
  readonly cert: string;
  readonly key: string;
  /** Milliseconds after which a connection is sent away; 0 for never. */
  readonly maxConnectionAge: number;
}

type Visit =
  | ServerUnaryCall<Buffer, Buffer>
  | ServerReadableStream<Buffer, Buffer>
  | ServerWritableStream<Buffer, Buffer>
  | ServerDuplexStream<Buffer, Buffer>;

/** How a call is to end. */
interface End {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

const LARGEST = 64 << 20;

/** Serves until SIGTERM and the end of all calls. */
export async function serve({ cert, key, maxConnectionAge }: ServerOrder): Promise<void> {
  const server = new Server({
    "grpc.max_receive_message_length": LARGEST,
    ...(maxConnectionAge > 0 ? { "grpc.max_connection_age_ms": maxConnectionAge } : {}),
  });
  server.addService(
    {
      Unary: method("unary"),
      Collect: method("client-stream"),
      Scatter: method("server-stream"),
      Chat: method("bidi"),
    },
    { Unary: unary, Collect: collect, Scatter: scatter, Chat: chat },
  );
  const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) };
  const trust = cert === "" ? ServerCredentials.createInsecure() : ServerCredentials.createSsl(null, [pair]);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", trust, (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  process.once("SIGTERM", () => server.tryShutdown(() => say({ event: "stopped" })));
  say({ port });
}

function method(kind: CallKind): MethodDefinition<Buffer, Buffer> {
  const same = (bytes: Buffer): Buffer => bytes;
  return {
    path: METHODS[kind],
    requestStream: kind === "client-stream" || kind === "bidi",
    responseStream: kind === "server-stream" || kind === "bidi",
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

/** Sends the head; returns whether the call goes on to messages, having ended or never ending otherwise. */
function begin(visit: Visit, end: (ending: End) => void): boolean {
  if (first(visit, "x-when") === "early") {
    end(ending(visit));
    return false;
  }
  const head = new Metadata();
  head.set("x-peer", "js");
  head.set("x-authority", visit.getHost());
  head.set("x-forwarded", first(visit, "x-forwarded-for"));
  copyEchoes(visit, head, "x-echo-");
  visit.sendMetadata(head);
  const told = first(visit, "x-tell");
  if (told !== "") say({ event: "begun", id: told });
  const id = first(visit, "x-wait");
  if (id === "") return true;
  say({ event: "waiting", id });
  const events: EventEmitter = visit;
  events.once("cancelled", () => {
    say({ event: "ended", id });
    end({ code: status.CANCELLED, details: "", metadata: new Metadata() });
  });
  return false;
}

function ending(visit: Visit): End {
  const tail = new Metadata();
  copyEchoes(visit, tail, "x-tail-");
  return { code: Number(first(visit, "x-status")), details: first(visit, "x-message-bin"), metadata: tail };
}

function copyEchoes({ metadata }: Visit, into: Metadata, prefix: string): void {
  for (const key of Object.keys(metadata.getMap())) {
    if (!key.startsWith("x-echo-")) continue;
    for (const value of metadata.get(key)) into.add(prefix + key.slice("x-echo-".length), value);
  }
}

/** Streams end with OK by their trailers, and with anything else by an error. */
function finish(stream: ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>, end: End): void {
  if (end.code === 0) stream.end(end.metadata);
  else stream.emit("error", end);
}

function unary(
  call: ServerUnaryCall<Buffer, Buffer>,
  answer: (error: End | null, value?: Buffer, trailer?: Metadata) => void,
): void {
  if (!begin(call, answer)) return;
  const end = ending(call);
  if (end.code === 0) answer(null, call.request, end.metadata);
  else answer(end);
}

function collect(
  call: ServerReadableStream<Buffer, Buffer>,
  answer: (error: End | null, value?: Buffer, trailer?: Metadata) => void,
): void {
  if (!begin(call, answer)) return;
  const received: Buffer[] = [];
  call.on("data", (bytes: Buffer) => received.push(bytes));
  call.on("end", () => {
    const end = ending(call);
    if (end.code === 0) answer(null, Buffer.from(`${received.length} ${digestOf(received)}`), end.metadata);
    else answer(end);
  });
}

function scatter(call: ServerWritableStream<Buffer, Buffer>): void {
  if (!begin(call, (end) => finish(call, end))) return;
  const [count = 0, size = 0] = first(call, "x-scatter").split(" ").map(Number);
  let index = 0;
  const send = (): void => {
    while (index < count) if (!call.write(pattern(index++, size))) return void call.once("drain", send);
    finish(call, ending(call));
  };
  send();
}

function chat(call: ServerDuplexStream<Buffer, Buffer>): void {
  if (!begin(call, (end) => finish(call, end))) return;
  call.on("data", (bytes: Buffer) => call.write(bytes));
  call.on("end", () => finish(call, ending(call)));
}

function first(visit: Visit, key: string): string {
  return visit.metadata.get(key)[0]?.toString() ?? "";
}

function say(value: unknown): void {
  console.log(JSON.stringify(value));
}
