/** Ports: grouping, shared options, certificates by server name, and what is taken over. */
import { test } from "node:test";
import assert from "node:assert/strict";
import {
  DEFAULT_HTTP2_SERVER_OPTIONS,
  DEFAULT_HTTP_SERVER_OPTIONS,
  type HttpServerOptions,
} from "@sallyport/model/listener";
import { type Resource, toSnapshot } from "@sallyport/model/snapshot";
import { createSelfSigned } from "@sallyport/testkit/certs";
import type { Runtime } from "../router/contract.ts";
import { TestCompiler, toListener, toSecret } from "../../test/compile/resources.ts";

const TLS = { bind: { address: "0.0.0.0", port: 8443 }, port: 443, protocol: "https" as const };
const onTls = (name: string, hostname: string | undefined, ...certificates: string[]): Resource =>
  toListener(name, {
    ...TLS,
    ...(hostname === undefined ? {} : { hostname }),
    tls: { certificates },
  });

/** Chains of certificates by server name on the TLS port. */
function toShown(runtime: Runtime): (serverName: string | undefined) => readonly string[] | undefined {
  const tls = runtime.binds.get("0.0.0.0:8443")?.tls;
  return (serverName) => tls?.choose(serverName)?.termination?.certificates.map(({ chain }) => chain);
}

test("listeners of several Gateways share a port, others have their own", () => {
  const runtime = new TestCompiler().activate([
    toListener("one", { hostname: "a.example" }),
    toListener("two", { key: "other/gateway/two", hostname: "b.example" }),
    toListener("three", { bind: { address: "::", port: 8080 } }),
  ]);
  assert.deepEqual([...runtime.binds.keys()].sort(), ["0.0.0.0:8080", "[::]:8080"]);
  assert.equal(runtime.binds.get("0.0.0.0:8080")?.fallback.key, "ns/gateway/one");
});

test("the listener for all hosts stands for the port", () => {
  const runtime = new TestCompiler().activate([toListener("a", { hostname: "a.example" }), toListener("b")]);
  assert.equal(runtime.binds.get("0.0.0.0:8080")?.fallback.key, "ns/gateway/b");
});

test("before a host is known the strictest options count", () => {
  const http = DEFAULT_HTTP_SERVER_OPTIONS;
  const http2 = DEFAULT_HTTP2_SERVER_OPTIONS;
  const runtime = new TestCompiler().activate([
    toListener("a", {
      http: {
        ...http,
        maxHeadBytes: 1000,
        underscores: "allow",
        trustedHops: 2,
        http2: { ...http2, streamWindow: 1000 },
      },
    }),
    toListener("b", {
      hostname: "b.example",
      http: {
        ...http,
        headTimeout: 5,
        mergeSlashes: false,
        trustedHops: 1,
        underscores: "drop",
        escapedSlashes: "keep",
        http2: {
          maxConcurrentStreams: 5,
          streamWindow: 70_000,
          connectionWindow: 70_000,
          abuseBudget: 5000,
        },
      },
    }),
    toListener("c", { hostname: "c.example" }),
  ]);
  assert.deepEqual(runtime.binds.get("0.0.0.0:8080")?.http, {
    ...http,
    maxHeadBytes: 1000,
    headTimeout: 5,
    trustedHops: 0,
    underscores: "reject",
    http2: {
      maxConcurrentStreams: 5,
      streamWindow: 1000,
      connectionWindow: 70_000,
      abuseBudget: http2.abuseBudget,
    },
  });
});

test("limits of connections are the strictest that any listener of the port has", () => {
  const http = DEFAULT_HTTP_SERVER_OPTIONS;
  const runtime = new TestCompiler().activate([
    toListener("a", { http: { ...http, maxRequests: 10 }, connections: { maxConnections: 7, tcpKeepAlive: 1000 } }),
    toListener("b", {
      hostname: "b.example",
      http: { ...http, maxRequests: 20, maxDuration: 60_000 },
      connections: { maxConnections: 5 },
    }),
    toListener("c", { hostname: "c.example" }),
  ]);
  const bind = runtime.binds.get("0.0.0.0:8080");
  assert.deepEqual(bind?.connections, { maxConnections: 5, tcpKeepAlive: 1000 });
  assert.equal(bind.limiter, "ns/gateway/b");
  assert.equal(bind.http.maxRequests, 10);
  assert.equal(bind.http.maxDuration, 60_000);
});

test("a port without limits of connections has none", () => {
  const bind = new TestCompiler().activate([toListener("a")]).binds.get("0.0.0.0:8080");
  assert.deepEqual(bind?.connections, {});
  assert.equal(bind.limiter, undefined);
  assert.deepEqual(bind.http, DEFAULT_HTTP_SERVER_OPTIONS);
});

test("a limit of connections that is all that changes is in force with the next configuration", () => {
  const compiler = new TestCompiler();
  compiler.activate([toListener("a")]);
  const bind = compiler.activate([toListener("a", { connections: { maxConnections: 3 } })]).binds.get("0.0.0.0:8080");
  assert.deepEqual(bind?.connections, { maxConnections: 3 });
});

const TRUSTING: readonly (readonly [what: string, options: Partial<HttpServerOptions>, trusted?: string[]])[] = [
  ["the same proxies", { trustedProxies: ["10.0.0.0/8"] }, ["10.0.0.0/8"]],
  ["some of them", { trustedProxies: ["10.0.0.0/8", "192.0.2.0/24"] }, ["10.0.0.0/8"]],
  ["others", { trustedProxies: ["192.0.2.0/24"] }, []],
  ["nobody", {}],
  ["hops", { trustedHops: 1 }],
];
for (const [what, options, trusted] of TRUSTING) {
  test(`a port trusts whom all of its listeners trust: one of them proxies, the other ${what}`, () => {
    const http = DEFAULT_HTTP_SERVER_OPTIONS;
    const bind = new TestCompiler()
      .activate([
        toListener("a", { http: { ...http, trustedProxies: ["10.0.0.0/8"] } }),
        toListener("b", { hostname: "b.example", http: { ...http, ...options } }),
      ])
      .binds.get("0.0.0.0:8080");
    assert.equal(bind?.http.trustedHops, 0);
    assert.deepEqual(bind.http.trustedProxies, trusted);
  });
}

for (const [one, other] of [
  ["http", "https"],
  ["http", "tcp"],
  ["https", "tcp"],
  ["tls-passthrough", "http"],
] as const) {
  test(`a port cannot serve ${one} and ${other}`, () => {
    const outcome = new TestCompiler().compile(
      toSnapshot([toListener("a", { protocol: one }), toListener("b", { protocol: other, hostname: "b.example" })]),
    );
    assert.ok(!outcome.ok);
    assert.equal(outcome.error[0]?.code, "conflict");
    assert.match(
      outcome.error[0]?.message ?? "",
      /ns\/gateway\/a and ns\/gateway\/b want 0\.0\.0\.0:8080 .* protocols$/,
    );
  });
}

test("listeners of a port agree on whose PROXY header is believed, or the configuration is refused", () => {
  const proxyProtocol = { trusted: ["10.0.0.0/8"], required: true };
  const compiler = new TestCompiler();
  const [a, b] = [toListener("a", { proxyProtocol }), toListener("b", { hostname: "b.example" })];
  const agreed = compiler.activate([a, { ...b, proxyProtocol: { ...proxyProtocol } }]);
  assert.deepEqual(agreed.binds.get("0.0.0.0:8080")?.proxyProtocol, proxyProtocol);
  const outcome = compiler.compile(toSnapshot([a, b]), agreed);
  assert.ok(!outcome.ok);
  assert.match(outcome.error[0]?.message ?? "", /for different PROXY protocol settings$/);
  assert.equal(compiler.activate([b]).binds.get("0.0.0.0:8080")?.proxyProtocol, undefined);
});

test("a server name gets the certificate of its most specific listener", () => {
  const runtime = new TestCompiler().activate([
    onTls("any", undefined, "ns/any"),
    onTls("wild", "*.example.org", "ns/wild"),
    onTls("exact", "a.example.org", "ns/exact"),
    toSecret("any", "ANY"),
    toSecret("wild", "WILD"),
    toSecret("exact", "EXACT"),
  ]);
  const shown = toShown(runtime);
  assert.deepEqual(shown("a.example.org"), ["EXACT"]);
  assert.deepEqual(shown("b.c.example.org"), ["WILD"]);
  assert.deepEqual(shown("example.org"), ["ANY"]);
  assert.deepEqual(shown(undefined), ["ANY"]);
});

test("without a listener for it, or without its secret, a server name gets no certificate", () => {
  const runtime = new TestCompiler().activate([
    onTls("wild", "*.example.org", "ns/wild"),
    onTls("gone", "gone.example.org", "ns/gone"),
    toSecret("wild", "WILD"),
  ]);
  const shown = toShown(runtime);
  assert.equal(shown("example.com"), undefined);
  assert.equal(shown(undefined), undefined);
  assert.equal(shown("gone.example.org"), undefined);
});

test("of several certificates of a listener the one that names the server is served, else the first", async () => {
  const [one, two] = await Promise.all([
    createSelfSigned({ names: ["one.example"] }),
    createSelfSigned({ names: ["*.two.example"] }),
  ]);
  const runtime = new TestCompiler().activate([
    onTls("any", undefined, "ns/broken", "ns/one", "ns/two"),
    toSecret("broken", "not a certificate"),
    toSecret("one", one.cert, one.key),
    toSecret("two", two.cert, two.key),
  ]);
  const shown = toShown(runtime);
  assert.deepEqual(shown("one.example"), [one.cert]);
  assert.deepEqual(shown("a.two.example"), [two.cert]);
  assert.deepEqual(shown("three.example"), ["not a certificate"]);
});

test("a certificate is told apart by content, chain and key both", () => {
  const compiler = new TestCompiler();
  const listener = onTls("any", undefined, "ns/any");
  const first = compiler.activate([listener, toSecret("any", "CHAIN", "one")]);
  const same = compiler.activate([listener, toSecret("any", "CHAIN", "one")], first);
  const other = compiler.activate([listener, toSecret("any", "CHAIN", "two")], first);
  const certificate = (runtime: typeof first) => runtime.binds.get("0.0.0.0:8443")?.tls?.choose("a")?.termination;
  assert.equal(certificate(same)?.id, certificate(first)?.id);
  assert.notEqual(certificate(other)?.id, certificate(first)?.id);
  assert.equal(certificate(other)?.certificates[0]?.key, "two");
  assert.ok(!certificate(first)?.id.includes("one"));
});

test("a plain port has no certificates", () => {
  const runtime = new TestCompiler().activate([toListener("http")]);
  assert.equal(runtime.binds.get("0.0.0.0:8080")?.tls, undefined);
});
