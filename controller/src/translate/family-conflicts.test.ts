import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClientValidation, DEFAULT_HTTP_SERVER_OPTIONS, type Listener } from "@sallyport/model/listener";
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

test("a later family opens no name below a listener that demands certificates of clients", () => {
  const clientValidation: ClientValidation = { mode: "require", authorities: ["ConfigMap/ns/ca"] };
  const tls = { certificates: ["ns/cert"], clientValidation };
  const isServed = (wider: readonly Listener[], hostname: string): boolean => {
    const first = { resources: [...wider], statuses: [], problems: [] };
    return settleFamilies([first, family(https("later", hostname))])[1]?.resources.length === 1;
  };
  const strict = { ...https("strict", "*.a.test"), tls };
  const { hostname: _all, ...any } = strict;
  assert.equal(isServed([strict], "x.a.test"), false);
  const [, later] = settleFamilies([family(strict), family(https("later", "x.a.test"))]);
  assert.match(later?.problems[0]?.hint ?? "", /demands certificates of clients/);
  assert.equal(isServed([strict], "x.y.a.test"), false);
  assert.equal(isServed([strict], "*.y.a.test"), false);
  assert.equal(isServed([any], "b.test"), false);
  assert.equal(isServed([strict], "b.test"), true);
  assert.equal(isServed([strict, https("lax", "*.y.a.test")], "x.y.a.test"), true, "the next wider one counts");
});
