/** Compilation: what is served, what is taken over, and when clusters hear of it. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { type Resource, toSnapshot } from "@sallyport/model/snapshot";
import {
  TestCompiler,
  toBackend,
  toCluster,
  toDestination,
  toEndpoints,
  toListener,
  toRoute,
  toRule,
} from "../../test/compile/resources.ts";
import { FakeRequest } from "../../test/cluster/fakes.ts";
import { toInput } from "../../test/router/inputs.ts";

const WEB = toCluster("ns/web:80");
const API = toCluster("ns/api:80");
const BASE: readonly Resource[] = [
  toListener("http"),
  WEB,
  toEndpoints("ns/web:80", 1),
  API,
  toEndpoints("ns/api:80", 2),
  toRoute("web", [toRule("/", "ns/web:80")]),
  toRoute("api", [toRule("/api/", "ns/api:80", { name: "all" })]),
];

test("requests go to the rule that wins and on to its cluster", () => {
  const runtime = new TestCompiler().activate(BASE);
  assert.equal(toDestination(runtime, toInput({ path: "/x" })), "ns/gateway/http ns/web/0  ns/web:80");
  assert.equal(toDestination(runtime, toInput({ path: "/api/x" })), "ns/gateway/http ns/api/all /api ns/api:80");
});

test("listeners of one port are isolated from each other by hostname", () => {
  const names = { empty: undefined, wide: "*.example.com", narrow: "*.foo.example.com", exact: "abc.foo.example.com" };
  const resources: Resource[] = [WEB, toEndpoints("ns/web:80", 1)];
  for (const [name, hostname] of Object.entries(names)) {
    resources.push(toListener(name, hostname === undefined ? {} : { hostname }));
    const attachments = [{ listener: `ns/gateway/${name}`, hostnames: [hostname ?? "*"] }];
    resources.push(toRoute(name, [toRule(`/${name}`, "ns/web:80")], { attachments }));
  }
  const runtime = new TestCompiler().activate(resources);
  const hosts = { "bar.com": "empty", "bar.example.com": "wide", "bar.foo.example.com": "narrow" };
  for (const [host, owner] of Object.entries({ ...hosts, "abc.foo.example.com": "exact" })) {
    for (const name of Object.keys(names)) {
      const expected = name === owner ? `ns/${name}/0 /${name} ns/web:80` : "no route";
      const found = toDestination(runtime, toInput({ host, path: `/${name}` }));
      assert.equal(found, `ns/gateway/${owner} ${expected}`, `${host}/${name}`);
    }
  }
});

test("a host without a listener finds none", () => {
  const runtime = new TestCompiler().activate([toListener("http", { hostname: "a.example" })]);
  assert.equal(toDestination(runtime, toInput({ host: "b.example" })), "no listener");
});

test("the most specific hostname of a listener's routes is asked, and no other", () => {
  const on = (hostname: string) => ({ attachments: [{ listener: "ns/gateway/http", hostnames: [hostname] }] });
  const runtime = new TestCompiler().activate([
    ...BASE,
    toRoute("exact", [toRule("/exact", "ns/web:80")], on("a.example.com")),
    toRoute("wild", [toRule("/", "ns/web:80")], on("*.example.com")),
  ]);
  const destination = (host: string, path: string) => toDestination(runtime, toInput({ host, path })).split(" ")[1];
  assert.equal(destination("a.example.com", "/exact"), "ns/exact/0");
  assert.equal(destination("a.example.com", "/other"), "no");
  assert.equal(destination("b.example.com", "/other"), "ns/wild/0");
  assert.equal(destination("b.example.org", "/other"), "ns/web/0");
});

test("routes of one host on one listener are ordered as one", () => {
  const old = { age: "2020" };
  const runtime = new TestCompiler().activate([
    ...BASE.filter((resource) => resource.kind !== "http-route"),
    toRoute("newer", [toRule("/", "ns/web:80"), toRule("/a/b", "ns/web:80")], { age: "2021" }),
    toRoute("older", [toRule("/", "ns/web:80"), toRule("/a", "ns/web:80")], old),
  ]);
  const destination = (path: string) => toDestination(runtime, toInput({ path })).split(" ")[1];
  assert.equal(destination("/"), "ns/older/0");
  assert.equal(destination("/a"), "ns/older/1");
  assert.equal(destination("/a/b"), "ns/newer/1");
});

test("what cannot be served answers for its share alone", () => {
  const runtime = new TestCompiler().activate([
    ...BASE,
    toRoute("odd", [
      toRule("/unknown", "ns/nothing:80"),
      toRule("/invalid", "", { backends: [{ kind: "invalid", reason: "BackendNotFound", weight: 1 }] }),
      toRule("/none", "", { backends: [] }),
      toRule("/zero", "", { backends: [toBackend("ns/web:80", 0)] }),
      toRule("/half", "", {
        backends: [toBackend("ns/web:80"), { kind: "invalid", reason: "RefNotPermitted", weight: 1 }],
      }),
    ]),
  ]);
  const target = (path: string) => toDestination(runtime, toInput({ path })).split(" ").slice(3).join(" ");
  assert.equal(target("/unknown"), "the cluster ns/nothing:80 is unknown");
  assert.equal(target("/invalid"), "BackendNotFound");
  assert.equal(target("/none"), "no backend");
  assert.equal(target("/zero"), "no backend");
  assert.deepEqual([target("/half"), target("/half")].sort(), ["RefNotPermitted", "ns/web:80"]);
});

test("a session whose name no cookie can have is none, and costs nobody the configuration", () => {
  for (const name of ["", "a b", "a;b", "a=b", "é", "x\r\ny"]) {
    for (const kind of ["header", "cookie"] as const) {
      const session = { carrier: kind === "header" ? { kind, name } : { kind, name, lifetime: "session" as const } };
      const runtime = new TestCompiler().activate([...BASE, toRoute("odd", [toRule("/", "ns/web:80", { session })])]);
      const rule = runtime.binds.get("0.0.0.0:8080")?.route(toInput({ path: "/" }))?.rule;
      assert.equal(rule?.single?.cluster?.key, "ns/web:80");
      assert.equal(rule?.session, undefined, JSON.stringify(name));
    }
  }
});

test("a rule with one backend that counts tells it ahead, one with several does not", () => {
  const session = { carrier: { kind: "header", name: "x-session" } } as const;
  const runtime = new TestCompiler().activate([
    ...BASE,
    toRoute("two", [
      toRule("/one", "", { backends: [toBackend("ns/web:80", 3), toBackend("ns/api:80", 0)] }),
      toRule("/both", "", { backends: [toBackend("ns/web:80", 3), toBackend("ns/api:80", 1)] }),
      toRule("/kept", "", { backends: [toBackend("ns/web:80", 3), toBackend("ns/api:80", 0)], session }),
      toRule("/alone", "ns/web:80", { session }),
    ]),
  ]);
  const rule = (path: string) => runtime.binds.get("0.0.0.0:8080")?.route(toInput({ path }))?.rule;
  assert.equal(rule("/one")?.single?.cluster?.key, "ns/web:80");
  assert.equal(rule("/both")?.single, undefined);
  assert.equal(rule("/kept")?.single, undefined, "sessions lead to the other");
  assert.equal(rule("/alone")?.single?.cluster?.key, "ns/web:80");
});

test("a rule carries its filters, those of its backend, and its timeouts", () => {
  const share = { numerator: 1, denominator: 1 };
  const backends = [
    { ...toBackend("ns/web:80"), policies: [{ kind: "mirror" as const, cluster: "ns/api:80", share }] },
  ];
  const policies = [{ kind: "rewrite" as const, hostname: "a" }];
  const times = { requestTimeout: 500, backendTimeout: 200 };
  const runtime = new TestCompiler().activate([
    ...BASE,
    toRoute("full", [toRule("/full", "", { policies, backends, ...times })]),
  ]);
  const rule = runtime.binds.get("0.0.0.0:8080")?.route(toInput({ path: "/full" }))?.rule;
  assert.equal(rule?.filters.length, 1);
  assert.equal(rule?.single?.filters.length, 1);
  assert.deepEqual([rule?.requestTimeout, rule?.backendTimeout], [500, 200]);
  assert.equal(runtime.cluster("ns/api:80")?.key, "ns/api:80");
  assert.equal(runtime.cluster("ns/nothing:80"), undefined);
});

test("clusters and their connections outlive every change of configuration", () => {
  const compiler = new TestCompiler();
  const first = compiler.activate(BASE);
  acquire(first, "ns/web:80").connection?.finish();
  const second = compiler.activate(
    [...BASE.filter((resource) => resource !== WEB), { ...WEB, connectTimeout: 5, balancer: { kind: "random" } }],
    first,
  );
  second.disposeUnused();
  assert.equal(second.cluster("ns/web:80"), first.cluster("ns/web:80"));
  assert.equal(acquire(second, "ns/web:80").reused, true);
});

test("endpoints change when the runtime becomes active, not before", () => {
  const compiler = new TestCompiler();
  const first = compiler.activate(BASE);
  const moved = [...BASE, toEndpoints("ns/web:80", 9)];
  const outcome = compiler.compile(toSnapshot(moved), first);
  assert.ok(outcome.ok);
  assert.equal(acquire(first, "ns/web:80").connection?.endpoint.label, "10.0.0.1:80");
  outcome.value.activate();
  assert.equal(acquire(outcome.value, "ns/web:80").connection?.endpoint.label, "10.0.0.9:80");
});

test("what a runtime that never became active had to tell the clusters is told by the next one", () => {
  const compiler = new TestCompiler();
  const first = compiler.activate(BASE);
  const moved = [...BASE, toEndpoints("ns/web:80", 9)];
  const skipped = compiler.compile(toSnapshot(moved), first);
  assert.ok(skipped.ok);
  const third = compiler.activate([...moved, toRoute("more", [toRule("/more", "ns/web:80")])], skipped.value);
  assert.equal(acquire(third, "ns/web:80").connection?.endpoint.label, "10.0.0.9:80");
});

test("a cluster that is gone is retired once nobody can ask for it any more", () => {
  const compiler = new TestCompiler();
  const first = compiler.activate(BASE);
  acquire(first, "ns/api:80").connection?.finish();
  const second = compiler.activate(
    BASE.filter(({ key }) => !key.includes("api")),
    first,
  );
  assert.equal(compiler.outside.opened[0]?.isClosed, false);
  second.disposeUnused();
  assert.equal(compiler.outside.opened[0]?.isClosed, true);
  assert.deepEqual(
    compiler.dependencies.clusters.summaries().map(({ key }) => key),
    ["ns/web:80"],
  );
});

test("a cluster that was made for a dropped runtime is retired too", () => {
  const compiler = new TestCompiler();
  const first = compiler.activate(BASE);
  assert.ok(compiler.compile(toSnapshot([...BASE, toCluster("ns/new:80")]), first).ok);
  assert.equal(compiler.dependencies.clusters.summaries().length, 3);
  first.disposeUnused();
  assert.equal(compiler.dependencies.clusters.summaries().length, 2);
});

test("another way of discovery makes another cluster, and routes find it", () => {
  const compiler = new TestCompiler();
  const first = compiler.activate(BASE);
  const discovery = { kind: "dns" as const, names: [{ hostname: "web.example", port: 80 }] };
  const second = compiler.activate([...BASE, { ...WEB, discovery }], first);
  assert.notEqual(second.cluster("ns/web:80"), first.cluster("ns/web:80"));
  const rule = second.binds.get("0.0.0.0:8080")?.route(toInput())?.rule;
  assert.equal(rule?.single?.cluster, second.cluster("ns/web:80"));
});

test("a cluster that comes later is found by routes that waited for it", () => {
  const compiler = new TestCompiler();
  const first = compiler.activate(BASE.filter((resource) => resource !== WEB));
  assert.match(toDestination(first, toInput()), /is unknown$/);
  assert.match(toDestination(compiler.activate(BASE, first), toInput()), /ns\/web:80$/);
});

test("what did not change is taken over as it is", () => {
  const compiler = new TestCompiler();
  const first = compiler.activate(BASE);
  const second = compiler.activate([...BASE, toEndpoints("ns/web:80", 3)], first);
  assert.equal(second.binds.get("0.0.0.0:8080"), first.binds.get("0.0.0.0:8080"));
  const third = compiler.activate([...second.snapshot.resources.values(), toRoute("api", [])], second);
  const rule = (runtime: typeof first) => runtime.binds.get("0.0.0.0:8080")?.route(toInput())?.rule;
  assert.equal(rule(third), rule(first));
  assert.notEqual(third.binds.get("0.0.0.0:8080"), first.binds.get("0.0.0.0:8080"));
});

test("an expression that cannot be used keeps the snapshot out", () => {
  const compiler = new TestCompiler();
  const first = compiler.activate(BASE);
  const matches = [{ path: { kind: "regex" as const, value: "/(" }, headers: [], query: [] }];
  const bad = toRoute("bad", [toRule("", "ns/web:80", { matches })]);
  const outcome = compiler.compile(toSnapshot([...BASE, bad]), first);
  assert.ok(!outcome.ok);
  assert.match(outcome.error[0]?.message ?? "", /^the route ns\/bad has a regular expression that cannot be used/);
  assert.match(toDestination(first, toInput()), /ns\/web:80$/);
});

function acquire(runtime: ReturnType<TestCompiler["activate"]>, key: string): FakeRequest {
  const request = new FakeRequest();
  runtime.cluster(key)?.acquire(request, false);
  return request;
}
