/** TLS of clusters: what it is made of, what it is worth where something is missing, and what a change costs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cluster, UpstreamTls } from "@sallyport/model/cluster";
import { type Resource, toSnapshot } from "@sallyport/model/snapshot";
import { FakeRequest } from "../../test/cluster/fakes.ts";
import {
  TestCompiler,
  toAuthorities,
  toCluster,
  toDestination,
  toEndpoints,
  toListener,
  toRoute,
  toRule,
  toSecret,
} from "../../test/compile/resources.ts";
import { toInput } from "../../test/router/inputs.ts";
import type { UpstreamTlsSettings } from "../cluster/contract.ts";
import { compileUpstreamTls } from "./upstream-tls.ts";

const TLS: UpstreamTls = {
  serverName: "web.example",
  identities: [{ kind: "dns", name: "web.example" }],
  trust: ["ConfigMap/ns/one"],
  clientCertificate: "ns/client",
};
const REFERRED: readonly Resource[] = [toAuthorities("one", "ONE", "LIST"), toSecret("client", "CHAIN", "KEY")];

function toWeb(tls: UpstreamTls | undefined): Cluster {
  return toCluster("ns/web:443", tls === undefined ? {} : { tls });
}

function compile(tls: UpstreamTls, resources = REFERRED): UpstreamTlsSettings {
  const outcome = compileUpstreamTls(toWeb(tls), toSnapshot(resources));
  assert.ok(outcome.ok, outcome.ok ? "" : outcome.error);
  return outcome.value ?? assert.fail("no TLS");
}

test("settings hold all that is referred to, with defaults", () => {
  const { id, peerId, ...settings } = compile(TLS);
  assert.notEqual(id, peerId);
  assert.deepEqual(settings, {
    serverName: "web.example",
    identities: [{ kind: "dns", name: "web.example" }],
    authorities: ["ONE"],
    revocations: ["LIST"],
    clientCertificate: { chain: "CHAIN", key: "KEY" },
    minVersion: "1.2",
    maxVersion: "1.3",
    ciphers: undefined,
  });
  const system = compile({ serverName: "a", identities: [], trust: "system" }, []);
  assert.deepEqual([system.authorities, system.clientCertificate], [undefined, undefined]);
});

test("ids tell settings apart, and what must be proven apart from what we prove", () => {
  const base = compile(TLS);
  const variants: UpstreamTlsSettings[] = [
    base,
    compile({ ...TLS, serverName: "other.example" }),
    compile({ ...TLS, identities: [] }),
    compile({ ...TLS, identities: [{ kind: "uri", uri: "web.example" }] }),
    compile({ ...TLS, trust: "system" }),
    compile({ ...TLS, minVersion: "1.3" }),
    compile({ ...TLS, maxVersion: "1.2" }),
    compile({ ...TLS, ciphers: ["A"] }),
    compile(TLS, [toAuthorities("one", "OTHER", "LIST"), ...REFERRED.slice(1)]),
    compile(TLS, [toAuthorities("one", "ONE"), ...REFERRED.slice(1)]),
  ];
  assert.equal(new Set(variants.map(({ peerId }) => peerId)).size, variants.length);
  assert.equal(new Set(variants.map(({ id }) => id)).size, variants.length);
  const renewed = compile(TLS, [...REFERRED.slice(0, 1), toSecret("client", "CHAIN", "OTHER")]);
  assert.equal(renewed.peerId, base.peerId);
  assert.notEqual(renewed.id, base.id);
});

function toBase(tls: UpstreamTls | undefined, ...referred: readonly Resource[]): Resource[] {
  return [
    toListener("http"),
    toWeb(tls),
    toEndpoints("ns/web:443", 1),
    toRoute("web", [toRule("/", "ns/web:443")]),
    ...referred,
  ];
}

for (const [what, tls, referred, reason] of [
  ["authorities that are gone", TLS, REFERRED.slice(1), /its authorities ConfigMap\/ns\/one are unknown$/],
  ["a client certificate that is gone", TLS, REFERRED.slice(0, 1), /its client certificate ns\/client is unknown$/],
  ["nobody to trust", { ...TLS, trust: [] }, REFERRED, /it trusts no authority$/],
] as const satisfies readonly (readonly [string, UpstreamTls, readonly Resource[], RegExp])[]) {
  test(`a cluster with ${what} is not served, and never in the clear`, () => {
    const compiler = new TestCompiler();
    const runtime = compiler.activate(toBase(tls, ...referred));
    assert.equal(runtime.cluster("ns/web:443"), undefined);
    assert.match(toDestination(runtime, toInput()), reason);
    assert.equal(compiler.outside.opened.length, 0);
    const served = compiler.activate(toBase(TLS, ...REFERRED), runtime);
    assert.match(toDestination(served, toInput()), /ns\/web:443$/);
  });
}

test("connections are opened with the settings of the cluster", () => {
  const compiler = new TestCompiler();
  const runtime = compiler.activate(toBase(TLS, ...REFERRED));
  runtime.cluster("ns/web:443")?.acquire(new FakeRequest(), false);
  assert.deepEqual(compiler.outside.opened[0]?.tls, compile(TLS));
});

test("another client certificate stays with the cluster, and new connections show it once it is in force", () => {
  const compiler = new TestCompiler();
  const first = compiler.activate(toBase(TLS, ...REFERRED));
  const renewed = toBase(TLS, REFERRED[0]!, toSecret("client", "NEW", "KEY"));
  const outcome = compiler.compile(toSnapshot(renewed), first);
  assert.ok(outcome.ok);
  const cluster = outcome.value.cluster("ns/web:443");
  assert.equal(cluster, first.cluster("ns/web:443"));
  const shown = (): string | undefined => {
    cluster?.acquire(new FakeRequest(), true);
    return compiler.outside.opened.at(-1)?.tls?.clientCertificate?.chain;
  };
  assert.equal(shown(), "CHAIN");
  outcome.value.activate();
  assert.equal(shown(), "NEW");
});

for (const [what, change] of [
  ["other authorities", toBase(TLS, toAuthorities("one", "OTHER"), REFERRED[1]!)],
  ["another server name", toBase({ ...TLS, serverName: "b" }, ...REFERRED)],
  ["TLS no more", toBase(undefined, ...REFERRED)],
] as const) {
  test(`${what}: nothing of the old connections is used`, () => {
    const compiler = new TestCompiler();
    const first = compiler.activate(toBase(TLS, ...REFERRED));
    const second = compiler.activate(change, first);
    assert.notEqual(second.cluster("ns/web:443"), first.cluster("ns/web:443"));
    const rule = second.binds.get("0.0.0.0:8080")?.route(toInput())?.rule;
    assert.equal(rule?.single?.cluster, second.cluster("ns/web:443"));
  });
}

test("a change of secrets or authorities touches the clusters that name them alone", () => {
  const compiler = new TestCompiler();
  const plain = toCluster("ns/plain:80");
  const system = toCluster("ns/system:443", { tls: { serverName: "a", identities: [], trust: "system" } });
  const base = [...toBase(TLS, ...REFERRED), plain, system];
  const first = compiler.activate(base);
  const second = compiler.activate([...base, toAuthorities("one", "OTHER"), toSecret("client", "NEW")], first);
  for (const key of ["ns/plain:80", "ns/system:443"]) assert.equal(second.cluster(key), first.cluster(key));
  assert.notEqual(second.cluster("ns/web:443"), first.cluster("ns/web:443"));
});
