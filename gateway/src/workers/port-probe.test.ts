import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { test, type TestContext } from "node:test";
import { probePort } from "./port-probe.ts";

async function bindUdp(t: TestContext, options: { readonly reuseAddr?: boolean } = {}): Promise<Socket> {
  const socket = createSocket({ type: "udp4", ...options });
  t.after(() => socket.close());
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

for (const transport of ["stream", "datagram"] as const) {
  test(`a free ${transport} port gets a number, again and again`, async () => {
    const port = await probePort(transport, "127.0.0.1", 0);
    assert.ok(port > 0);
    assert.equal(await probePort(transport, "127.0.0.1", port), port);
  });
}

test("a datagram port that is taken is refused, whatever TCP does with its number", async (t) => {
  const probes: Promise<number>[] = [];
  for (let count = 0; count < 5; count++) {
    const { port } = (await bindUdp(t)).address();
    await assert.rejects(probePort("datagram", "127.0.0.1", port), { code: "EADDRINUSE" });
    probes.push(probePort("stream", "127.0.0.1", port));
  }
  // anybody may have one of these numbers for TCP, but not all
  await assert.doesNotReject(Promise.any(probes));
});

test("a stream port that is taken is refused", async (t) => {
  const server = createServer();
  t.after(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  assert.ok(typeof bound === "object" && bound !== null);
  await assert.rejects(probePort("stream", "127.0.0.1", bound.port), { code: "EADDRINUSE" });
});

test("an address of another machine is refused for datagrams, too", async () => {
  await assert.rejects(probePort("datagram", "192.0.2.1", 0), { code: "EADDRNOTAVAIL" });
});
