// Calls by grpc-js, as an order says.
import { type EventEmitter, once } from "node:events";
import {
  type CallOptions,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  type StatusObject,
  Client,
  Metadata,
  credentials,
} from "@grpc/grpc-js";
import { type CallOrder, type CallResult, digestOf, pattern } from "./calls.ts";

type Call =
  | ClientUnaryCall
  | ClientReadableStream<Buffer>
  | ClientWritableStream<Buffer>
  | ClientDuplexStream<Buffer, Buffer>;

const same = (bytes: Buffer): Buffer => bytes;
const ignore = (): void => undefined;

/** Makes all calls of an order and prints what came of them. */
export async function callAll(order: CallOrder): Promise<void> {
  const trust = order.ca === "" ? credentials.createInsecure() : credentials.createSsl(Buffer.from(order.ca));
  const client = new Client(order.target, trust, {
    "grpc.default_authority": order.authority,
    "grpc.ssl_target_name_override": order.authority,
    "grpc.max_receive_message_length": -1,
    "grpc.enable_retries": 0,
  });
  try {
    if (order.untilTerminated) return await keepCalling(client, order);
    const results: CallResult[] = [];
    let next = 0;
    await inParallel(order, async () => {
      for (let index = next++; index < order.calls; index = next++) results[index] = await callOnce(client, order);
    });
    say({ results });
  } finally {
    client.close();
  }
}

async function keepCalling(client: Client, order: CallOrder): Promise<void> {
  let isOver = false;
  process.once("SIGTERM", () => (isOver = true));
  const tally: Record<string, number> = {};
  await inParallel(order, async () => {
    while (!isOver) {
      const { code, message } = await callOnce(client, order);
      const outcome = `${code} ${message}`.trim();
      tally[outcome] = (tally[outcome] ?? 0) + 1;
      if (tally["0"] === 1 && outcome === "0") say({ event: "calling" });
    }
  });
  say({ tally });
}

async function inParallel({ parallel }: CallOrder, work: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: parallel }, work));
}

async function callOnce(client: Client, order: CallOrder): Promise<CallResult> {
  const received: Buffer[] = [];
  const call = start(client, order, received);
  let header: Metadata | undefined;
  // the kinds of calls have these events in common, though their types do not
  const events: EventEmitter = call;
  events.on("metadata", (metadata: Metadata) => {
    header = metadata;
    if (order.cancelOn === "headers") call.cancel();
  });
  events.on("error", ignore);
  const ended = new Promise<StatusObject>((resolve) => {
    events.once("status", resolve);
  });
  if ("read" in call) {
    call.on("data", (bytes: Buffer) => received.push(bytes));
  }
  if ("write" in call) await sendAll(call, order);
  const status = await ended;
  return {
    code: status.code,
    message: status.code === 0 ? "" : status.details,
    header: valuesOf(header),
    trailer: valuesOf(status.metadata),
    received: received.map(({ length }) => length),
    digest: digestOf(received),
  };
}

function start(client: Client, order: CallOrder, received: Buffer[]): Call {
  const { kind, path } = order;
  const metadata = metadataOf(order.metadata);
  const options: CallOptions = order.deadline > 0 ? { deadline: Date.now() + order.deadline } : {};
  const first = pattern(0, order.send[0] ?? 0);
  const answered = (_: unknown, bytes?: Buffer): void => {
    if (bytes !== undefined) received.push(bytes);
  };
  if (kind === "unary") return client.makeUnaryRequest(path, same, same, first, metadata, options, answered);
  if (kind === "client-stream") return client.makeClientStreamRequest(path, same, same, metadata, options, answered);
  if (kind === "server-stream") return client.makeServerStreamRequest(path, same, same, first, metadata, options);
  return client.makeBidiStreamRequest(path, same, same, metadata, options);
}

async function sendAll(
  call: ClientWritableStream<Buffer> | ClientDuplexStream<Buffer, Buffer>,
  { send, kind, cancelOn }: CallOrder,
): Promise<void> {
  // events.once() would fail with the call's error, which its status tells already
  const over = new Promise((resolve) => {
    call.once("status", resolve);
  });
  for (const [index, size] of send.entries()) {
    const answered = kind === "bidi" && cancelOn === "" ? once(call, "data").catch(ignore) : undefined;
    const written = new Promise<void>((resolve) => {
      call.write(pattern(index, size), () => resolve());
    });
    await Promise.race([Promise.all([written, answered]), over]);
  }
  call.end();
}

function metadataOf(pairs: CallOrder["metadata"]): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of pairs) metadata.add(key, key.endsWith("-bin") ? Buffer.from(value, "base64") : value);
  return metadata;
}

function valuesOf(metadata: Metadata | undefined): Record<string, readonly string[]> {
  const all: Record<string, readonly string[]> = {};
  for (const key of Object.keys(metadata?.getMap() ?? {})) {
    all[key] = (metadata?.get(key) ?? []).map((value) =>
      typeof value === "string" ? value : value.toString("base64"),
    );
  }
  return all;
}

function say(value: unknown): void {
  console.log(JSON.stringify(value));
}
