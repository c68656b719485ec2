/** Warnings about TLS: seldom enough to be read, and complete. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { UpstreamWarnings, type FailedEndpoint } from "./upstream-warnings.ts";

const FAILED: FailedEndpoint = {
  cluster: "ns/web:443",
  endpoint: "10.0.0.1:443",
  serverName: "web.test",
  detail: "the certificate is self-signed",
  hint: "trust it",
  names: undefined,
};

test("an endpoint and reason is told once a minute, with how often it happened since", () => {
  const warnings = new UpstreamWarnings("TLS failed");
  const lines: Readonly<Record<string, unknown>>[] = [];
  const log = { warn: (_message: string, fields: Readonly<Record<string, unknown>>) => void lines.push(fields) };
  for (const now of [0, 1, 59_999]) warnings.warn(log, FAILED, now);
  assert.equal(lines.length, 1);
  warnings.warn(log, FAILED, 60_000);
  assert.deepEqual(
    lines.map((fields) => fields["timesSinceLastLine"]),
    [undefined, 2],
  );
  warnings.warn(log, { ...FAILED, endpoint: "10.0.0.2:443" }, 60_001);
  warnings.warn(log, { ...FAILED, detail: "the certificate has expired", names: "DNS:x" }, 60_002);
  warnings.warn(log, { ...FAILED, cluster: "ns/other:443" }, 60_003);
  assert.equal(lines.length, 5);
  assert.deepEqual(lines[3], {
    cluster: "ns/web:443",
    endpoint: "10.0.0.1:443",
    reason: "the certificate has expired",
    do: "trust it",
    serverName: "web.test",
    certificateNames: "DNS:x",
  });
});
