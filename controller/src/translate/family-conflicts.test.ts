import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_HTTP_SERVER_OPTIONS, type Listener } from "@sallyport/model/listener";
import { settleFamilies } from "./family-conflicts.ts";
import type { Translation } from "./translator.ts";

const https = (key: string, hostname: string, proxyProtocol?: Listener["proxyProtocol"]): Listener => ({
  kind: "listener",
  key,
  port: 443,
  bind: { address: "0.0.0.0", port: 443 },
  protocol: "https",
  http: DEFAULT_HTTP_SERVER_OPTIONS,
  hostname,
  ...(proxyProtocol && { proxyProtocol }),
});
const family = (listener: Listener): Translation => ({ resources: [listener], statuses: [], problems: [] });

test("families share a port by hostnames", () => {
  const [, later] = settleFamilies([family(https("a", "a.test")), family(https("b", "b.test"))]);
  assert.deepEqual(later?.problems, []);
});

test("who takes PROXY headers from others than a port's first family does not get its port", () => {
  const trusting = https("a", "a.test", { trusted: ["10.0.0.0/8"], required: true });
  const [, later] = settleFamilies([family(trusting), family(https("b", "b.test"))]);
  assert.deepEqual(later?.resources, []);
  assert.match(later?.problems[0]?.message ?? "", /b is not served/);
  assert.match(later?.problems[0]?.hint ?? "", /PROXY/);
});
