/** ClientTrafficPolicies in a directory that is served: put in force, changed and taken back while clients are there. */
import assert from "node:assert/strict";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { RawClient } from "@sallyport/testkit/raw-client";
import { ask, freePort, gatewayYaml, openEcho, routeYaml, serveFiles, serviceYaml } from "./world.ts";
import type { EchoBackend, ServedDirectory } from "./world.ts";

const HOST = "x.test";
const CLAIMS = { "x-forwarded-for": "198.51.100.7, 203.0.113.9", "x-forwarded-proto": "https" };

function policyYaml(spec: string): string {
  return `apiVersion: policy.sallyport.io/v1alpha1
kind: ClientTrafficPolicy
metadata: { name: edge }
spec:
  targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: edge }]
${spec}
`;
}

describe("a ClientTrafficPolicy", () => {
  let echo: EchoBackend;
  let served: ServedDirectory;
  let port: number;
  const write = (text: string): void => {
    const path = join(served.directory.path, "policy.yaml");
    writeFileSync(`${path}.tmp`, text);
    renameSync(`${path}.tmp`, path);
  };
  const claimed = async (): Promise<string | undefined> =>
    (await ask({ port, host: HOST, path: "/", headers: CLAIMS })).echo?.headers["x-forwarded-for"];
  const healthOf = async (path: string): Promise<number> => (await ask({ port, host: "192.0.2.1", path })).status;

  before(async () => {
    [echo, port] = await Promise.all([openEcho("a"), freePort()]);
    const objects = [
      gatewayYaml([`{ name: http, protocol: HTTP, port: ${port} }`]),
      serviceYaml("a", echo.port),
      routeYaml("all", HOST, "    - backendRefs: [{ name: a, port: 80 }]"),
    ];
    const policy = policyYaml(`  clientIPDetection: { xForwardedFor: { trustedCIDRs: [127.0.0.0/8] } }
  headers: { maxFields: 20 }
  healthCheck: { path: /healthz }`);
    served = await serveFiles({ "objects.yaml": objects.join(""), "policy.yaml": policy }, ["--workers", "2"]);
  });
  after(async () => {
    await served?.close();
    await echo?.close();
  });

  test("says whom X-Forwarded-For is believed, which health path there is, and how many fields a head may have", async () => {
    assert.equal(await claimed(), "198.51.100.7, 203.0.113.9, 127.0.0.1");
    assert.equal(await healthOf("/healthz"), 200);
    assert.equal(await healthOf("/"), 404);
    const fields = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`x-field-${index}`, "1"]));
    assert.equal((await ask({ port, host: HOST, path: "/", headers: fields })).status, 431);
  });

  test("is in force as it is changed, for connections that are open as well", async () => {
    const client = await RawClient.open({ port });
    const request = `GET / HTTP/1.1\r\nHost: ${HOST}\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n`;
    await client.send(request);
    await client.signal.require(() => client.responses.length === 1, 5000, "an answer");
    write(
      policyYaml(`  healthCheck: { path: /alive }
  connection: { maxConnections: 1, maxRequests: 2 }`),
    );
    // it has the only place there is, so nobody else gets one
    const isRefused = (): Promise<boolean> =>
      claimed().then(
        () => false,
        () => true,
      );
    await eventually(isRefused, { what: "the limit" });
    await client.send(request);
    await client.signal.require(() => client.responses.length === 2, 5000, "another answer");
    await client.send(request);
    await client.signal.require(() => client.state === "ended", 5000, "the end");
    assert.match(client.received, /"x-forwarded-for":"127\.0\.0\.1"/);
    client.close();
    await eventually(async () => (await healthOf("/alive").catch(() => 0)) === 200, { what: "the freed place" });
  });

  test("leaves the defaults behind", async () => {
    rmSync(join(served.directory.path, "policy.yaml"));
    await eventually(async () => (await healthOf("/alive").catch(() => 0)) === 404, { what: "no health path" });
    assert.equal(await claimed(), "127.0.0.1");
    const many = await Promise.all(Array.from({ length: 4 }, () => claimed()));
    assert.deepEqual(new Set(many), new Set(["127.0.0.1"]));
  });

  test("that cannot be read keeps what was in force, and says where", async () => {
    write(policyYaml("  clientIPDetection: { xForwardedFor: { numTrustedHops: 1, trustedCIDRs: [10.0.0.0/8] } }"));
    const line = await eventually(
      () => served.sallyport.process.output().match(/policy\.yaml:\d+:\d+.*exactly one.*/)?.[0],
    );
    assert.match(line ?? "", /numTrustedHops/);
    assert.equal(await claimed(), "127.0.0.1");
  });
});
