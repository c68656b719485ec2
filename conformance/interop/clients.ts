// One client in two versions, by node:http and node:http2, over cleartext or TLS: what came is told in the same words.
import { createHash, randomBytes } from "node:crypto";
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from "node:http";
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants } from "node:http2";
import type { Duplex } from "node:stream";
import { Agent as SecureAgent, request as httpsRequest } from "node:https";
import type { Version } from "./backend.ts";
import { WebSocketEnd } from "./websocket.ts";

/** Where to, and by whose name. */
export interface Origin {
  readonly port: number;
  readonly host: string;
  /** PEM of the authority to trust; absent for cleartext. */
  readonly ca?: string;
}

/** A request; the body is sent whole with its length, or piece by piece without. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly pieces?: readonly Buffer[];
  readonly trailers?: Readonly<Record<string, string>>;
}

/** What came. */
export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Heads that came before: 100 and 103. */
  readonly interim: readonly { readonly status: number; readonly headers: IncomingHttpHeaders }[];
  readonly trailers: IncomingHttpHeaders;
  readonly length: number;
  /** SHA-256 of the body, hex. */
  readonly digest: string;
  /** The body's first kilobyte as text. */
  readonly text: string;
}

/** A connection (or, of HTTP/1.1, connections) to one origin. */
export interface Client extends Disposable {
  ask(asked: Asked): Promise<Got>;
  /** Opens a WebSocket and returns its stream once the other side has agreed. */
  openWebSocket(path: string): Promise<Duplex>;
}

/** Megabytes: node:http2 resets streams beyond ten by default. */
const SESSION_MEMORY = 1000;

/** Connects. */
export function openClient(version: Version, origin: Origin): Client {
  return version === "h1" ? openHttp1(origin) : openHttp2(origin);
}

/** Sends texts one after the other, each when the one before has come back; then closes and awaits the end. */
export async function converse(stream: Duplex, texts: readonly string[]): Promise<readonly string[]> {
  const heard: string[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    stream.once("end", resolve);
    stream.once("error", reject);
    const end = new WebSocketEnd(stream, "client", (text) => {
      heard.push(text);
      const next = texts[heard.length];
      if (next === undefined) end.close();
      else end.send(next);
    });
    end.send(texts[0] ?? "");
  });
  await ended;
  stream.destroy();
  return heard;
}

/** Collects a body and what is known of its message. */
function collect(
  stream: IncomingMessage | ClientHttp2Stream,
  facts: () => Omit<Got, "length" | "digest" | "text">,
): Promise<Got> {
  const hash = createHash("sha256");
  let length = 0;
  let text = "";
  stream.on("data", (bytes: Buffer) => {
    hash.update(bytes);
    length += bytes.length;
    if (text.length < 1024) text += bytes.toString("latin1");
  });
  return new Promise((resolve, reject) => {
    stream.once("end", () => resolve({ ...facts(), length, digest: hash.digest("hex"), text }));
    stream.once("error", reject);
    stream.once("close", () => reject(new Error("closed before its end")));
  });
}

function lengthOf({ body }: Asked): Readonly<Record<string, string>> {
  return body === undefined ? {} : { "content-length": String(body.length) };
}

function openHttp1({ port, host, ca }: Origin): Client {
  const agent =
    ca === undefined ? new Agent({ keepAlive: true }) : new SecureAgent({ keepAlive: true, ca, servername: host });
  const make = ca === undefined ? httpRequest : httpsRequest;
  const base = { agent, host: "127.0.0.1", port };
  const ask = (asked: Asked): Promise<Got> =>
    new Promise((resolve, reject) => {
      const { method, path, headers, body, pieces = [], trailers } = asked;
      const te = { te: "trailers", connection: "te" };
      const request = make({ ...base, method, path, headers: { host, ...te, ...lengthOf(asked), ...headers } });
      const interim: { status: number; headers: IncomingHttpHeaders }[] = [];
      request.on("information", (head) => interim.push({ status: head.statusCode, headers: head.headers }));
      request.on("continue", () => interim.push({ status: 100, headers: {} }));
      request.on("error", reject);
      request.on("response", (response) => {
        collect(response, () => ({
          status: response.statusCode ?? 0,
          headers: response.headers,
          interim: interim.filter(({ status }, index) => status !== 100 || index === 0),
          trailers: response.trailers,
        })).then(resolve, reject);
      });
      const send = (): void => {
        if (body !== undefined) request.write(body);
        for (const piece of pieces) request.write(piece);
        if (trailers !== undefined) request.addTrailers(trailers);
        request.end();
      };
      if (headers?.["expect"] === undefined) send();
      else request.once("continue", send);
    });
  const openWebSocket = (path: string): Promise<Duplex> =>
    new Promise((resolve, reject) => {
      const handshake = {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": randomBytes(16).toString("base64"),
      };
      const request = make({ ...base, path, headers: { host, ...handshake } });
      request.on("upgrade", (_, socket) => resolve(socket));
      request.on("response", ({ statusCode }) => reject(new Error(`status ${statusCode}`)));
      request.on("error", reject);
      request.end();
    });
  return { ask, openWebSocket, [Symbol.dispose]: () => agent.destroy() };
}

function openHttp2({ port, host, ca }: Origin): Client {
  const scheme = ca === undefined ? "http" : "https";
  const session = connectHttp2(`${scheme}://127.0.0.1:${port}`, {
    ca,
    servername: host,
    maxSessionMemory: SESSION_MEMORY,
  });
  session.on("error", () => undefined);
  return {
    ask: (asked) => askHttp2(session, { scheme, host }, asked),
    openWebSocket: (path) => openHttp2WebSocket(session, { scheme, host }, path),
    [Symbol.dispose]: () => session.destroy(),
  };
}

interface Names {
  readonly scheme: string;
  readonly host: string;
}

function askHttp2(session: ClientHttp2Session, { scheme, host }: Names, asked: Asked): Promise<Got> {
  const { method, path, headers, body, pieces, trailers } = asked;
  const pseudo = { ":method": method, ":path": path, ":scheme": scheme, ":authority": host };
  const stream = session.request(
    { ...pseudo, te: "trailers", ...lengthOf(asked), ...headers },
    {
      endStream: body === undefined && pieces === undefined && trailers === undefined,
      waitForTrailers: trailers !== undefined,
    },
  );
  const interim: { status: number; headers: IncomingHttpHeaders }[] = [];
  let head: IncomingHttpHeaders & { readonly ":status"?: number | undefined } = {};
  let tail: IncomingHttpHeaders = {};
  stream.on("headers", (received) => interim.push({ status: received[":status"] ?? 0, headers: received }));
  stream.on("response", (received) => (head = received));
  stream.on("trailers", (received: IncomingHttpHeaders) => (tail = received));
  stream.on("wantTrailers", () => stream.sendTrailers(trailers ?? {}));
  const send = (): void => {
    if (body !== undefined) stream.write(body);
    for (const piece of pieces ?? []) stream.write(piece);
    stream.end();
  };
  if (headers?.["expect"] === undefined) send();
  else stream.once("continue", send);
  return collect(stream, () => ({ status: head[":status"] ?? 0, headers: head, interim, trailers: tail }));
}

async function openHttp2WebSocket(session: ClientHttp2Session, { scheme, host }: Names, path: string): Promise<Duplex> {
  // extended CONNECT is allowed once the server's settings said so (RFC 8441 section 3)
  while (session.remoteSettings?.enableConnectProtocol !== true) {
    await new Promise<void>((resolve, reject) => {
      session.once("remoteSettings", () => resolve());
      session.once("close", () => reject(new Error("closed before WebSockets were offered")));
    });
  }
  const pseudo = {
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":path": path,
    ":scheme": scheme,
    ":authority": host,
  };
  const stream = session.request({ ...pseudo, "sec-websocket-version": "13" });
  return new Promise((resolve, reject) => {
    stream.once("response", ({ ":status": status }) => {
      if (status === constants.HTTP_STATUS_OK) resolve(stream);
      else reject(new Error(`status ${status}`));
    });
    stream.once("error", reject);
  });
}
