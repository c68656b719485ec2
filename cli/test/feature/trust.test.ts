/** Who the backend is told the client is, at the edge and behind a trusted proxy. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, freePort, gatewayYaml, openEcho, routeYaml, serveFiles, serviceYaml } from "./world.ts";
import type { Echo } from "./world.ts";

const CLAIMS = {
  "x-forwarded-for": "6.6.6.6, 10.0.0.7",
  "x-forwarded-proto": "https",
  "x-forwarded-host": "claimed.test",
  "x-request-id": "claimed",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
};

async function claim(extra: readonly string[]): Promise<Echo["headers"]> {
  const [echo, port] = await Promise.all([openEcho("a"), freePort()]);
  const yaml = [
    gatewayYaml([`{ name: http, protocol: HTTP, port: ${port} }`]),
    serviceYaml("a", echo.port),
    routeYaml("all", "x.test", "    - backendRefs: [{ name: a, port: 80 }]"),
  ];
  const served = await serveFiles({ "objects.yaml": yaml.join("") }, extra);
  try {
    return (await ask({ port, host: "x.test", path: "/", headers: CLAIMS })).echo?.headers ?? {};
  } finally {
    await served.close();
    await echo.close();
  }
}

test("at the edge nothing a client claims about itself reaches the backend; the trace goes on", async () => {
  const seen = await claim([]);
  assert.equal(seen["x-forwarded-for"], "127.0.0.1");
  assert.equal(seen["x-forwarded-proto"], "http");
  assert.equal(seen["x-forwarded-host"], undefined);
  assert.notEqual(seen["x-request-id"], "claimed");
  assert.match(seen["x-request-id"] ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(seen["traceparent"], CLAIMS.traceparent);
});

test("a trusted proxy's facts are kept, and its own address is added", async () => {
  const seen = await claim(["--trusted-hops", "1"]);
  assert.equal(seen["x-forwarded-for"], "6.6.6.6, 10.0.0.7, 127.0.0.1");
  assert.equal(seen["x-forwarded-proto"], "https");
  assert.equal(seen["x-forwarded-host"], "claimed.test");
  assert.equal(seen["x-request-id"], "claimed");
});
