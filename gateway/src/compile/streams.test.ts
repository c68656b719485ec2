/** Routes of connections and datagrams on their ports: who gets the traffic, and what is made anew when. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_DATAGRAM_OPTIONS, DEFAULT_STREAM_OPTIONS } from "@sallyport/model/listener";
import type { Resource } from "@sallyport/model/snapshot";
import { TestCompiler, toCluster, toEndpoints, toListener, toStreamRoute } from "../../test/compile/resources.ts";
import type { CompiledBind, Runtime } from "../router/contract.ts";

const PORT = { bind: { address: "0.0.0.0", port: 5432 }, port: 5432 };
const TCP = toListener("tcp", { ...PORT, protocol: "tcp" });
const UDP = toListener("udp", { ...PORT, protocol: "udp" });
const BASE: readonly Resource[] = [TCP, toCluster("ns/db:1"), toEndpoints("ns/db:1", 1), toCluster("ns/b:1")];

function bindOf(runtime: Runtime, key = "0.0.0.0:5432"): CompiledBind {
  return runtime.binds.get(key) ?? assert.fail(`no bind ${key}`);
}

/** The next picks, as cluster keys or reasons. */
function pick(bind: CompiledBind, count = 1): string[] {
  return Array.from({ length: count }, () => {
    const backend = bind.stream?.pick();
    return backend === undefined ? "nothing" : (backend.cluster?.key ?? backend.invalid);
  });
}

test("TCP and UDP share a number, each with its own route and limits", () => {
  const onUdp = [{ listener: UDP.key, hostnames: ["*"] }];
  const runtime = new TestCompiler().activate([
    ...BASE,
    { ...UDP, stream: { idleTimeout: 5, maxLifetime: 7 } },
    toStreamRoute("db", ["ns/db:1"]),
    toStreamRoute("dns", ["ns/b:1"], { key: "UDPRoute/ns/dns", attachments: onUdp }),
  ]);
  const tcp = bindOf(runtime);
  const udp = bindOf(runtime, "udp/0.0.0.0:5432");
  assert.deepEqual([tcp.transport, udp.transport], ["tcp", "udp"]);
  assert.deepEqual([tcp.stream?.key, udp.stream?.key], ["TCPRoute/ns/db", "UDPRoute/ns/dns"]);
  assert.deepEqual([tcp.tls, udp.tls], [undefined, undefined]);
  assert.deepEqual([pick(tcp), pick(udp)], [["ns/db:1"], ["ns/b:1"]]);
  assert.deepEqual(tcp.fallback.stream, DEFAULT_STREAM_OPTIONS);
  assert.deepEqual(udp.fallback.stream, { idleTimeout: 5, maxLifetime: 7 });
  assert.deepEqual(
    bindOf(new TestCompiler().activate([UDP]), "udp/0.0.0.0:5432").fallback.stream,
    DEFAULT_DATAGRAM_OPTIONS,
  );
});

test("the oldest route gets all traffic of its port, then the one whose key comes first", () => {
  const compiler = new TestCompiler();
  const routes = [
    toStreamRoute("young", [], { age: "2024" }),
    toStreamRoute("b", [], { age: "2020" }),
    toStreamRoute("a", [], { age: "2020" }),
  ];
  const first = compiler.activate([...BASE, ...routes]);
  assert.equal(bindOf(first).stream?.key, "TCPRoute/ns/a");
  const second = compiler.activate([...BASE, ...routes.slice(0, 2)], first);
  assert.equal(bindOf(second).stream?.key, "TCPRoute/ns/b");
  assert.equal(bindOf(compiler.activate(BASE, second)).stream, undefined);
});

test("of two TCP listeners on one port the first by key counts", () => {
  const other = toListener("a", { ...PORT, protocol: "tcp" });
  const onOther = [{ listener: other.key, hostnames: ["*"] }];
  const runtime = new TestCompiler().activate([
    ...BASE,
    other,
    toStreamRoute("db", ["ns/db:1"]),
    toStreamRoute("other", ["ns/b:1"], { attachments: onOther }),
  ]);
  assert.equal(bindOf(runtime).fallback.key, other.key);
  assert.equal(bindOf(runtime).stream?.key, "TCPRoute/ns/other");
});

test("connections are shared out by weight; what is invalid takes its share", () => {
  const backends = [
    { kind: "cluster", cluster: "ns/db:1", weight: 2 },
    { kind: "cluster", cluster: "ns/gone:1", weight: 1 },
    { kind: "invalid", reason: "RefNotPermitted", weight: 1 },
    { kind: "cluster", cluster: "ns/b:1", weight: 0 },
  ] as const;
  const runtime = new TestCompiler().activate([...BASE, toStreamRoute("db", [], { backends: [...backends] })]);
  assert.deepEqual(pick(bindOf(runtime), 4).sort(), [
    "RefNotPermitted",
    "ns/db:1",
    "ns/db:1",
    "the cluster ns/gone:1 is unknown",
  ]);
  const weightless = [{ ...backends[0], weight: 0 }];
  const none = new TestCompiler().activate([...BASE, toStreamRoute("db", [], { backends: weightless })]);
  assert.deepEqual(pick(bindOf(none)), ["nothing"]);
});

test("what HTTP speaks to a cluster is nothing to those who pass bytes on", () => {
  const h2c = toCluster("ns/grpc:1", { protocol: "http2" });
  const runtime = new TestCompiler().activate([...BASE, h2c, toStreamRoute("grpc", ["ns/grpc:1"])]);
  assert.deepEqual(pick(bindOf(runtime)), ["ns/grpc:1"]);
});

test("a route is made anew when it or a cluster of it is another one, and not before", () => {
  const compiler = new TestCompiler();
  const route = toStreamRoute("db", ["ns/db:1", "ns/later:1"]);
  const first = compiler.activate([...BASE, route]);
  const second = compiler.activate([...BASE, route, toEndpoints("ns/db:1", 9), toListener("web")], first);
  assert.equal(bindOf(second), bindOf(first));
  const later = toCluster("ns/later:1");
  const third = compiler.activate([...second.snapshot.resources.values(), later], second);
  assert.notEqual(bindOf(third).stream, bindOf(first).stream);
  assert.deepEqual(pick(bindOf(third), 2).sort(), ["ns/db:1", "ns/later:1"]);
});

test("a port may change what it speaks; whoever is on it keeps the one it came to", () => {
  const compiler = new TestCompiler();
  const first = compiler.activate([...BASE, toStreamRoute("db", ["ns/db:1"])]);
  const before = bindOf(first);
  const second = compiler.activate([toListener("tcp", { ...PORT, protocol: "http" })], first);
  assert.equal(bindOf(second).transport, "http");
  assert.deepEqual([before.transport, before.stream?.key], ["tcp", "TCPRoute/ns/db"]);
  const tls = toListener("tcp", { ...PORT, protocol: "tls-passthrough" });
  const third = compiler.activate([tls], second);
  assert.equal(bindOf(third).transport, "tls");
  assert.equal(bindOf(third).tls?.choose("a")?.listener.protocol, "tls-passthrough");
});
