// Chromium in front of the gateway: a page of many resources over HTTP/2, and a WebSocket on the same connection (RFC 8441).
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { Signal } from "@sallyport/testkit/signal";
import { startProcess } from "@sallyport/testkit/process";
import { openTemporaryDirectory, type TemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { settles } from "../faults/asking.ts";
import { type InteropEdge, openInteropEdge } from "./edge.ts";
import { findProgram } from "./programs.ts";
import { acceptOf, WebSocketEnd } from "./websocket.ts";

const RESOURCES = 200;
const PATIENCE = 60_000;

/** What the page tells when all is loaded. */
interface Report {
  readonly loaded: number;
  readonly failed: number;
  readonly protocols: readonly string[];
  readonly echoes: readonly string[];
}

/** The page loads images, scripts and fetches, asks over a WebSocket, and posts what came of it. */
const PAGE = `<!doctype html><title>many</title><body><script type="module">
const results = await Promise.allSettled(Array.from({ length: ${RESOURCES} }, async (_, index) => {
  if (index % 2 === 0) {
    const image = new Image();
    image.src = "/image.svg?" + index;
    return image.decode();
  }
  const answer = await fetch("/text?" + index);
  if (!answer.ok || (await answer.text()) !== "text " + index) throw new Error("wrong");
}));
const echoes = await new Promise((resolve, reject) => {
  const texts = ["one", "", "zwei ☃", "x".repeat(60000)];
  const heard = [];
  const socket = new WebSocket("wss://" + location.host + "/chat");
  socket.onopen = () => texts.forEach((text) => socket.send(text));
  socket.onmessage = ({ data }) => { heard.push(data); if (heard.length === texts.length) socket.close(); };
  socket.onclose = () => resolve(heard);
  socket.onerror = () => reject(new Error("socket"));
}).catch((error) => [String(error)]);
const timings = performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"));
await fetch("/report", { method: "POST", body: JSON.stringify({
  loaded: results.filter(({ status }) => status === "fulfilled").length,
  failed: results.filter(({ status }) => status === "rejected").length,
  protocols: [...new Set(timings.map(({ nextHopProtocol }) => nextHopProtocol))],
  echoes,
}) });
</script>`;
const IMAGE = `<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>`;

/** Answers the page's requests by HTTP/1.1, and its WebSocket. */
function openSite(onReport: (report: string) => void): Server {
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? "/", "https://site.test");
    if (pathname === "/report") {
      let text = "";
      request.on("data", (bytes: Buffer) => (text += bytes.toString()));
      request.on("end", () => {
        response.end();
        onReport(text);
      });
      return;
    }
    const [type, body] =
      pathname === "/image.svg"
        ? ["image/svg+xml", IMAGE]
        : pathname === "/text"
          ? ["text/plain", `text ${search.slice(1)}`]
          : ["text/html; charset=utf-8", PAGE];
    response.setHeader("content-type", type).end(body);
  });
  server.on("upgrade", (request, socket) => {
    const accept = acceptOf(request.headers["sec-websocket-key"] ?? "");
    const head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    socket.write([...head, `Sec-WebSocket-Accept: ${accept}`, "", ""].join("\r\n"));
    const end = new WebSocketEnd(socket, "server", (text) => end.send(text));
  });
  return server;
}

describe("Chromium", () => {
  const signal = new Signal();
  const sockets = new Set<Socket>();
  let report = "";
  let site: Server;
  let edge: InteropEdge;
  let profile: TemporaryDirectory;

  before(async () => {
    site = openSite((text) => {
      report = text;
      signal.changed();
    });
    site.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => {
      site.listen(0, "127.0.0.1", resolve);
    });
    const { port } = site.address() as AddressInfo;
    edge = await openInteropEdge({ site: { port, version: "h1" } }, { extra: ["--access-log", "-"] });
    profile = openTemporaryDirectory();
  });
  after(async () => {
    await edge[Symbol.asyncDispose]();
    site.close();
    // what was upgraded is no connection of the server any more
    for (const socket of sockets) socket.destroy();
    profile.close();
  });

  test("a page of 200 resources and a WebSocket come over HTTP/2", async () => {
    const url = `https://site.test:${edge.secure}/`;
    const quiet = [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--no-first-run",
      "--disable-breakpad",
      "--disable-crash-reporter",
      "--no-zygote",
    ];
    const reach = ["--host-resolver-rules=MAP * 127.0.0.1", "--ignore-certificate-errors", "--no-proxy-server"];
    const browser = startProcess(await findProgram("chromium-headless-shell"), [
      ...quiet,
      ...reach,
      `--user-data-dir=${profile.path}`,
      "--remote-debugging-port=0",
      url,
    ]);
    try {
      await signal.until(() => report !== "" || browser.exit() !== undefined, PATIENCE);
    } finally {
      await browser.stop();
    }
    assert.notEqual(report, "", browser.output());
    const told = JSON.parse(report) as Report;
    assert.deepEqual([told.loaded, told.failed], [RESOURCES, 0]);
    assert.deepEqual(told.protocols, ["h2"]);
    assert.deepEqual(told.echoes, ["one", "", "zwei ☃", "x".repeat(60_000)]);
    await settles(() => {
      const line = edge.running.sallyport.process
        .output()
        .split("\n")
        .find((text) => text.includes('"/chat"'));
      assert.match(line ?? "no line of /chat", /"protocol":"HTTP\/2"/);
    });
  });
});
