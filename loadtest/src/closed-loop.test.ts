import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { createServer, type TlsOptions } from "node:tls";
import { createSelfSigned } from "@sallyport/testkit/certs";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import type { ClosedLoopTotals } from "./closed-loop-contract.ts";
import { closedLoopLaunch, parseTotals, totalsLine } from "./closed-loop.ts";
import { findTool } from "./tools.ts";

const wrk = findTool("wrk");
const withWrk = wrk.kind === "missing" ? { skip: wrk.reason } : {};

/** Lets wrk loose on a TLS server for a second: what it counted, and what was negotiated on each connection. */
async function loadSecurely(t: TestContext, options: TlsOptions) {
  using directory = openTemporaryDirectory({ "requests.bin": "GET / HTTP/1.1\r\nHost: a\r\n\r\n" });
  const certificate = await createSelfSigned({ names: ["localhost"] });
  const negotiated = new Set<string>();
  const server = createServer({ ...certificate, ...options }, (socket) => {
    negotiated.add(`${socket.getProtocol()} ${socket.getCipher().name}`);
    socket.on("error", () => {});
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  });
  t.after(() => server.close());
  server.on("tlsClientError", () => {});
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const load = { port, connections: 2, seconds: 1, requestFile: directory.file("requests.bin"), certificate: "unused" };
  const { command, args, env } = closedLoopLaunch({ ...load, exchange: "request" });
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  await once(child, "close");
  return { negotiated: [...negotiated], totals: parseTotals(output) };
}

test("wrk offers one version and one cipher, whatever the server prefers", withWrk, async (t) => {
  const { negotiated, totals } = await loadSecurely(t, {});
  assert.deepEqual(negotiated, ["TLSv1.3 TLS_AES_128_GCM_SHA256"]);
  assert.ok(totals.requests > 0);
});

test("wrk offers one group: a server that insists on another gets no request", withWrk, async (t) => {
  const { totals } = await loadSecurely(t, { ecdhCurve: "P-256" });
  assert.equal(totals.requests, 0);
});

test("the totals of the harness's own clients are read as wrk's are", () => {
  const totals: ClosedLoopTotals = { requests: 12, seconds: 1.5, bytes: 700, failures: 3 };
  assert.deepEqual(parseTotals(totalsLine(totals)), totals);
});

test("totals are read from the line among wrk's own output, and every kind of error is a failure", () => {
  const output = `Running 1s test @ http://127.0.0.1:1
  1 threads and 64 connections
TOTALS {"requests":46896,"microseconds":1000123,"bytes":9000000,"connect":1,"read":2,"write":3,"timeout":4,"status":5}
`;
  assert.deepEqual(parseTotals(output), { requests: 46_896, seconds: 1.000123, bytes: 9_000_000, failures: 15 });
});

test("output without totals is an error that shows it", () => {
  assert.throws(
    () => parseTotals("unable to connect to 127.0.0.1:1 Connection refused"),
    /no totals: unable to connect/,
  );
});
