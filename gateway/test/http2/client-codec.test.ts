/** The client role of HTTP/2 against what every client codec owes its exchanges, with a server of Node's. */
import { once } from "node:events";
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { DEFAULT_HTTP2_CLIENT_OPTIONS } from "@sallyport/model/cluster";
import { eventually } from "@sallyport/testkit/eventually";
import type { UpstreamTlsSettings } from "../../src/cluster/contract.ts";
import { openUpstream } from "../../src/upstream/open.ts";
import { toOpening, toUpstreamDependencies } from "../codec/opening.ts";
import { testUpstreamCodec, type ServerStream, type UpstreamCodec } from "../codec/upstream.contract.ts";
import { createTlsUpstream } from "../wire/tls-settings.ts";

type Pairs = [string, string][];

/** One request on a server's connection. */
function toServerStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): ServerStream {
  let body = "";
  let ended = false;
  const trailers: Pairs = [];
  stream.on("data", (bytes: Buffer) => (body += bytes.toString("latin1")));
  stream.on("end", () => (ended = true));
  stream.on("trailers", (fields: IncomingHttpHeaders) => trailers.push(...toPairs(fields)));
  stream.on("error", () => undefined);
  return {
    method: String(headers[":method"]),
    path: String(headers[":path"]),
    fields: toPairs(headers),
    get body() {
      return body;
    },
    trailers,
    get ended() {
      return ended;
    },
    get gone() {
      return stream.destroyed;
    },
    head: (status, length) => {
      const announced = length === undefined ? {} : { "content-length": length };
      stream.respond({ ":status": status, ...announced }, { waitForTrailers: true });
      stream.once("wantTrailers", () => stream.close());
    },
    send: (piece) =>
      new Promise((resolve) => {
        stream.write(piece, "latin1", () => resolve());
      }),
    end: (fields = []) => {
      stream.removeAllListeners("wantTrailers");
      stream.once("wantTrailers", () => stream.sendTrailers(Object.fromEntries(fields)));
      stream.end();
    },
    vanish: () => stream.session?.destroy(),
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
  };
}

function toPairs(fields: IncomingHttpHeaders): Pairs {
  return Object.entries(fields).map(([name, value]) => [name, String(value)]);
}

async function open(
  t: TestContext,
  server: Http2Server | Http2SecureServer,
  target: { readonly tls: UpstreamTlsSettings | undefined; readonly protocol: "http2" | "auto" },
): ReturnType<UpstreamCodec["open"]> {
  const streams: ServerStream[] = [];
  const sessions: ServerHttp2Session[] = [];
  server.on("session", (session) => void sessions.push(session));
  server.on("stream", (stream, headers) => void streams.push(toServerStream(stream, headers)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const owner = { connected: 0, idle: 0, closed: 0 };
  const connection = openUpstream(
    { ...toOpening(port, owner), ...target, http2: DEFAULT_HTTP2_CLIENT_OPTIONS, upgrades: false },
    toUpstreamDependencies(),
  );
  t.after(() => {
    connection.close();
    for (const session of sessions) session.destroy();
    server.close();
  });
  if (target.protocol === "auto") await eventually(() => connection.settled);
  return { connection, owner, next: () => eventually(() => streams.shift(), { what: "a request" }) };
}

testUpstreamCodec({
  name: "HTTP/2",
  open: (t) => open(t, createServer(), { tls: undefined, protocol: "http2" }),
});

const { settings, certified } = await createTlsUpstream();

testUpstreamCodec({
  name: "HTTP/2 over TLS",
  open: (t) => open(t, createSecureServer(certified), { tls: settings, protocol: "http2" }),
});

testUpstreamCodec({
  name: "HTTP/2 chosen by the endpoint",
  open: (t) => open(t, createSecureServer({ ...certified, allowHTTP1: true }), { tls: settings, protocol: "auto" }),
});
