/** Which version of HTTP a connection over TLS speaks, and what becomes of endpoints that do not speak it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { createServer } from "node:tls";
import { DEFAULT_HTTP2_CLIENT_OPTIONS, type Cluster } from "@sallyport/model/cluster";
import { eventually } from "@sallyport/testkit/eventually";
import type { UpstreamConnection } from "../../src/cluster/contract.ts";
import { Wheel } from "../../src/time/wheel.ts";
import { openUpstream } from "../../src/upstream/open.ts";
import { createTlsUpstream } from "../wire/tls-settings.ts";
import { UNHEARD } from "../unheard.ts";

const { settings, certified } = await createTlsUpstream();

async function open(
  t: TestContext,
  protocol: Cluster["protocol"],
  { offers, upgrades = false }: { readonly offers: string[] | undefined; readonly upgrades?: boolean },
): Promise<{ connection: UpstreamConnection; told: string[]; warnings: string[] }> {
  const [told, warnings]: [string[], string[]] = [[], []];
  const alpn = offers === undefined ? {} : { ALPNProtocols: offers };
  const server = createServer({ ...certified, ...alpn }, (socket) => {
    socket.on("error", () => undefined);
    // it ends when the client does
    socket.resume();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const connection = openUpstream(
    {
      cluster: "test/main:443",
      endpoint: { address: "127.0.0.1", port, label: `127.0.0.1:${port}`, active: () => 0, ...UNHEARD },
      tls: settings,
      protocol,
      upgrades,
      http2: DEFAULT_HTTP2_CLIENT_OPTIONS,
      connectTimeout: 5000,
      owner: {
        onConnected: ({ capacity }) => void told.push(`up ${capacity}`),
        onIdle: () => undefined,
        onCapacity: () => undefined,
        onDraining: () => undefined,
        onClosed: (_connection, failure) => void told.push(`closed ${failure ?? ""}`),
      },
    },
    {
      clocks: { coarse: new Wheel(250), fine: new Wheel(4) },
      recorder: { upstreamConnect: () => undefined, upstreamClosed: () => undefined },
      log: {
        error: (message) => void warnings.push(message),
        warn: (_, { reason }) => void warnings.push(String(reason)),
      },
    },
  );
  t.after(() => {
    connection.close();
    server.close();
  });
  await eventually(() => told.length > 0);
  return { connection, told, warnings };
}

for (const [offers, capacity] of [
  [["h2", "http/1.1"], 100],
  [["http/1.1"], 1],
  [undefined, 1],
] as const)
  test(`an endpoint that offers ${offers?.join(" and ") ?? "nothing"} is spoken to as it chooses`, async (t) => {
    const { connection, told } = await open(t, "auto", { offers: offers && [...offers] });
    assert.deepEqual([told, connection.settled], [[`up ${capacity}`], true]);
  });

test("who asks for another protocol gets HTTP/1.1, where that can always be asked for", async (t) => {
  const { connection, told } = await open(t, "auto", { offers: ["h2", "http/1.1"], upgrades: true });
  assert.deepEqual([told, connection.upgradable], [["up 1"], true]);
});

test("an endpoint that must speak HTTP/2 and does not choose it gets no request, and the log says why", async (t) => {
  const { connection, told, warnings } = await open(t, "http2", { offers: undefined });
  assert.deepEqual(told, ["closed upstream-tls-failure"]);
  assert.equal(connection.failureDetail, "the server did not choose the protocol h2 (ALPN)");
  assert.deepEqual(warnings, [connection.failureDetail]);
});
