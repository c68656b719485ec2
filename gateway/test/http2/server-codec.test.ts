/** HTTP/2 as a server against the contract of codecs, with Node's own client. */
import { connect, type ClientHttp2Session } from "node:http2";
import type { TestContext } from "node:test";
import { createSelfSigned, type CertifiedKey } from "@sallyport/testkit/certs";
import type { SocketWays } from "../../src/wire/outlet.ts";
import { testDownstreamCodec, type ClientRequest, type ClientStream } from "../codec/downstream.contract.ts";
import type { HandUpstream } from "../codec/hand-upstream.ts";
import { openHttp2Rig } from "./rig.ts";

type Pairs = readonly (readonly [string, string])[];

function send(session: ClientHttp2Session, wanted: ClientRequest): ClientStream {
  const { method, path, body } = wanted;
  const length = body?.length === undefined ? {} : { "content-length": String(body.length) };
  const fields = Object.fromEntries(wanted.fields);
  const stream = session.request(
    { ":method": method, ":path": path, ":authority": "a.test", ...fields, ...length },
    { endStream: body === undefined, waitForTrailers: body !== undefined },
  );
  const interim: number[] = [];
  const seen = { status: 0, body: "", trailers: [] as Pairs, ended: false };
  let trailers: Pairs = [];
  stream.setEncoding("latin1");
  stream.on("headers", (headers) => void interim.push(Number(headers[":status"])));
  stream.on("response", (headers) => {
    seen.status = Number(headers[":status"]);
  });
  stream.on("trailers", (headers: Readonly<Record<string, unknown>>) => {
    seen.trailers = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  });
  stream.on("data", (text: string) => {
    seen.body += text;
  });
  stream.on("end", () => {
    seen.ended = true;
  });
  stream.on("error", () => undefined);
  stream.on("wantTrailers", () => stream.sendTrailers(Object.fromEntries(trailers)));
  return {
    send: (piece) =>
      new Promise((resolve) => {
        stream.write(piece, "latin1", () => resolve());
      }),
    end: (last = []) => {
      trailers = last;
      stream.end();
    },
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    vanish: () => session.destroy(),
    interim,
    get status() {
      return seen.status;
    },
    get body() {
      return seen.body;
    },
    get trailers() {
      return seen.trailers;
    },
    get state() {
      if (stream.rstCode !== 0 && stream.destroyed) return "cut";
      return seen.ended ? "whole" : stream.destroyed ? "cut" : "open";
    },
  };
}

async function open(
  t: TestContext,
  upstream: HandUpstream,
  { wanted, ...over }: { wanted: ClientRequest; ways: SocketWays; tls: CertifiedKey | undefined },
): Promise<ClientStream> {
  const onRecord = (record: HandUpstream["records"][number]): void => void upstream.records.push(record);
  const rig = await openHttp2Rig(t, { cluster: upstream, ways: over.ways, tls: over.tls, onRecord });
  const scheme = over.tls === undefined ? "http" : "https";
  const session = connect(`${scheme}://127.0.0.1:${rig.port}`, { rejectUnauthorized: false });
  session.on("error", () => undefined);
  t.after(() => session.destroy());
  return send(session, wanted);
}

const certified = await createSelfSigned({ names: ["a.test"] });
for (const ways of ["tuned", "documented"] as const)
  for (const tls of [undefined, certified])
    testDownstreamCodec({
      name: `HTTP/2${tls === undefined ? "" : " over TLS"}, ${ways} sockets`,
      raw: false,
      request: (t, upstream, wanted) => open(t, upstream, { wanted, ways, tls }),
    });
