import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { createServer, type TlsOptions } from "node:tls";
import { createSelfSigned } from "@sallyport/testkit/certs";
import { benchHost } from "../requests.ts";
import { HandshakeCaller } from "./handshakes.ts";
import { pinnedContext } from "./negotiation.ts";

const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const request = Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n");

async function openCaller(t: TestContext, sessions: "new" | "resumed", options: TlsOptions = {}) {
  const certificate = await createSelfSigned({ names: [benchHost] });
  const server = createServer({ ...certificate, ...options }, (socket) => {
    socket.on("error", () => {});
    socket.on("data", () => socket.write(answer));
  });
  t.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return new HandshakeCaller({ port, sessions, request, context: pinnedContext(certificate.cert) });
}

test("connections with new sessions count one request each", async (t) => {
  const caller = await openCaller(t, "new");
  await caller.prime();
  await caller.call();
  await caller.call();
  assert.deepEqual(caller.totals, { requests: 2, failures: 0, bytes: 2 * answer.length, reason: "" });
});

test("connections that are to resume do so, each by the ticket of the one before it", async (t) => {
  const caller = await openCaller(t, "resumed");
  await caller.prime();
  await caller.call();
  await caller.call();
  assert.deepEqual(caller.totals, { requests: 2, failures: 0, bytes: 2 * answer.length, reason: "" });
});

test("a full handshake where a session was to be resumed is a failure", async (t) => {
  const caller = await openCaller(t, "resumed");
  await caller.call();
  assert.equal(caller.totals.failures, 1);
  assert.match(caller.totals.reason, /not resumed/);
});

test("a server that does not take the offered cipher is a failure, whatever it prefers", async (t) => {
  const caller = await openCaller(t, "new", { ciphers: "TLS_AES_256_GCM_SHA384" });
  await caller.call();
  assert.equal(caller.totals.failures, 1);
});
