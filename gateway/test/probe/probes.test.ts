/** Health checks at real servers: what each kind asks, what it takes for well, and that nothing holds one up for longer than its time. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp1, type IncomingMessage, type RequestListener } from "node:http";
import { createSecureServer, createServer as createHttp2, type ServerHttp2Stream } from "node:http2";
import { createServer as createTcp, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { createServer as createTls } from "node:tls";
import { DEFAULT_HTTP2_CLIENT_OPTIONS } from "@sallyport/model/cluster";
import { createAuthority } from "@sallyport/testkit/certs";
import { eventually } from "@sallyport/testkit/eventually";
import { toOpenProbe } from "../../src/probe/open.ts";
import { openClocks } from "../../src/time/ticker.ts";
import { toTlsSettings } from "../wire/tls-settings.ts";
import { check, GRPC, HTTP, listen, PATIENCE, TCP } from "./rig.ts";

const authority = await createAuthority("test root");
const good = await authority.issue({ names: ["upstream.test"] });
const trusting = toTlsSettings({ authorities: [authority.cert] });
const distrusting = toTlsSettings({ id: "distrusting", authorities: [(await createAuthority("other root")).cert] });

async function serveHttp1(t: TestContext, answer: RequestListener): Promise<number> {
  return listen(t, createHttp1(answer));
}

test("a check asks for its path as itself, and nothing that requests have", async (t) => {
  const seen: IncomingMessage[] = [];
  const port = await serveHttp1(t, (request, response) => {
    seen.push(request);
    response.end("fine");
  });
  assert.deepEqual(await check(t, { port, probe: HTTP }), { outcome: "passed", detail: "" });
  const named = { ...HTTP, method: "HEAD", path: "/live?deep=1", host: "shop.test" } as const;
  assert.equal((await check(t, { port, probe: named })).outcome, "passed");
  assert.deepEqual(
    seen.map(({ method, url, headers }) => [method, url, headers]),
    [
      ["GET", "/healthz", { host: `127.0.0.1:${port}`, "user-agent": "sallyport-health-check" }],
      ["HEAD", "/live?deep=1", { host: "shop.test", "user-agent": "sallyport-health-check" }],
    ],
  );
});

test("only the statuses that are expected will do", async (t) => {
  const port = await serveHttp1(t, (request, response) => {
    response.statusCode = Number(request.url?.slice(1));
    response.end("what there is to say");
  });
  const ask = async (status: number): Promise<string> => {
    const statuses = [
      { from: 200, to: 204 },
      { from: 404, to: 404 },
    ];
    const { outcome, detail } = await check(t, { port, probe: { ...HTTP, path: `/${status}`, statuses } });
    return outcome === "passed" ? "" : detail;
  };
  assert.deepEqual(await Promise.all([200, 204, 404].map(ask)), ["", "", ""]);
  assert.deepEqual(await Promise.all([205, 301, 503].map(ask)), ["answered 205", "answered 301", "answered 503"]);
});

test("over HTTP/2, in the clear and where TLS has chosen it, it asks the same", async (t) => {
  const seen: string[] = [];
  const onStream = (stream: ServerHttp2Stream, headers: Record<string, unknown>): void => {
    seen.push(`${String(headers[":scheme"])} ${String(headers[":path"])} ${String(headers["user-agent"])}`);
    stream.respond({ ":status": 200 });
    stream.end("fine");
  };
  const clear = createHttp2();
  clear.on("stream", onStream);
  const secure = createSecureServer({ ...good, allowHTTP1: false });
  secure.on("stream", onStream);
  const [clearPort, securePort] = await Promise.all([listen(t, clear), listen(t, secure)]);
  assert.equal((await check(t, { port: clearPort, probe: HTTP, protocol: "http2" })).outcome, "passed");
  for (const protocol of ["http2", "auto"] as const) {
    const { outcome, detail } = await check(t, { port: securePort, probe: HTTP, protocol, tls: trusting });
    assert.equal(outcome, "passed", detail);
  }
  assert.deepEqual(seen, [
    "http /healthz sallyport-health-check",
    "https /healthz sallyport-health-check",
    "https /healthz sallyport-health-check",
  ]);
});

test("a connection is enough for TCP, with the cluster's TLS where it has some", async (t) => {
  const got: string[] = [];
  const clear = createTcp((socket) => {
    let text = "";
    socket.on("data", (bytes) => (text += bytes.toString("latin1")));
    socket.on("close", () => got.push(text));
  });
  const secure = createTls({ ...good });
  secure.on("tlsClientError", () => undefined);
  const [clearPort, securePort] = await Promise.all([listen(t, clear), listen(t, secure)]);
  assert.equal((await check(t, { port: clearPort, probe: TCP })).outcome, "passed");
  assert.equal((await check(t, { port: securePort, probe: TCP, tls: trusting })).outcome, "passed");
  const refused = await check(t, { port: securePort, probe: TCP, tls: distrusting });
  assert.match(`${refused.outcome} ${refused.detail}`, /^failed upstream-tls-failure: /);
  await check(t, { port: clearPort, probe: TCP, proxyProtocol: "v1" });
  await check(t, { port: clearPort, probe: TCP, proxyProtocol: "v2" });
  await eventually(() => got.length === 3);
  assert.deepEqual(got, ["", "PROXY UNKNOWN\r\n", "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"]);
});

test("who refuses connections, closes them or speaks something else is not well", async (t) => {
  const closing = createTcp((socket) => socket.destroy());
  const babbling = createTcp((socket) => socket.on("data", () => socket.end("220 mail.test ESMTP\r\n")));
  const gone = createTcp();
  const [closingPort, babblingPort, gonePort] = await Promise.all(
    [closing, babbling, gone].map((one) => listen(t, one)),
  );
  gone.close();
  await once(gone, "close");
  for (const probe of [HTTP, GRPC, TCP]) {
    const { outcome, detail } = await check(t, { port: gonePort ?? 0, probe });
    assert.deepEqual([outcome, detail], ["failed", "connect-failure"], probe.kind);
  }
  for (const probe of [HTTP, GRPC]) {
    assert.match((await check(t, { port: closingPort ?? 0, probe })).detail, /^upstream-(closed|reset)$/);
    assert.equal((await check(t, { port: babblingPort ?? 0, probe })).detail, "upstream-protocol-error");
  }
});

test("a check takes no longer than its time, however far the answer came", async (t) => {
  const port = await serveHttp1(t, (request, response) => {
    if (request.url === "/head") response.writeHead(200).write("and then");
  });
  const silent = createTcp();
  const silentPort = await listen(t, silent);
  const timeout = 50;
  const details = [
    await check(t, { port, probe: HTTP, timeout }),
    await check(t, { port, probe: { ...HTTP, path: "/head" }, timeout }),
    await check(t, { port: silentPort, probe: TCP, tls: trusting, timeout }),
    await check(t, { port: silentPort, probe: HTTP, tls: trusting, protocol: "auto", timeout }),
    await check(t, { port: silentPort, probe: GRPC, timeout }),
  ];
  assert.deepEqual(
    details.map(({ outcome, detail }) => `${outcome}: ${detail}`),
    [
      "timed-out: no answer in 50 ms",
      "timed-out: the answer did not end in 50 ms",
      "timed-out: no connection in 50 ms",
      "timed-out: no connection in 50 ms",
      "timed-out: no answer in 50 ms",
    ],
  );
});

test("no more of an answer is read than a check needs", async (t) => {
  let sent = 0;
  const port = await serveHttp1(t, (_request, response) => {
    const piece = Buffer.alloc(16_384);
    response.on("error", () => undefined);
    const pour = (): void => {
      while (!response.destroyed && response.write(piece)) sent += piece.length;
    };
    response.on("drain", pour);
    pour();
  });
  assert.equal((await check(t, { port, probe: HTTP })).outcome, "passed");
  assert.ok(sent < 16 * 1024 * 1024, `${sent} bytes were sent`);
});

test("a check that is given up leaves no connection and tells nobody", async (t) => {
  const connections = new Set<Socket>();
  const server = createHttp1(() => server.emit("asked"));
  server.on("connection", (socket) => {
    connections.add(socket);
    socket.on("close", () => {
      connections.delete(socket);
      server.emit("gone");
    });
  });
  const port = await listen(t, server);
  const clocks = openClocks();
  const alive = setTimeout(() => undefined, 60_000);
  t.after(() => {
    clearTimeout(alive);
    clocks.fine.stop();
    clocks.coarse.stop();
  });
  const fail = (): never => assert.fail("it was given up");
  const open = toOpenProbe({ clocks, log: { error: fail, warn: fail } });
  const cancel = open(
    {
      cluster: "c",
      address: "127.0.0.1",
      port,
      probe: HTTP,
      tls: undefined,
      protocol: "http1",
      http2: DEFAULT_HTTP2_CLIENT_OPTIONS,
      proxyProtocol: undefined,
      timeout: PATIENCE,
    },
    fail,
  );
  await once(server, "asked");
  const gone = once(server, "gone");
  cancel();
  await gone;
  assert.equal(connections.size, 0);
});
