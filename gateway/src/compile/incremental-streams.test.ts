/** As incremental.test.ts, for what is passed on, TLS, and clusters that are spoken to with TLS. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { ClientValidation, ListenerProtocol } from "@sallyport/model/listener";
import { applyDelta, diffSnapshots, type Resource, type Snapshot } from "@sallyport/model/snapshot";
import { seeded } from "@sallyport/testkit/random";
import {
  editAtRandom,
  TestCompiler,
  toAuthorities,
  toCluster,
  toEndpoints,
  toListener,
  toSecret,
  toStreamRoute,
} from "../../test/compile/resources.ts";
import type { CompiledStreamRoute, CompiledTlsChain } from "../router/contract.ts";
import type { CompiledRuntime } from "./contract.ts";

const HOSTS = ["*", "*.example", "a.example", "*.a.example"];
const SERVER_NAMES = [undefined, "a.example", "b.example", "b.a.example", "other"];
const CLUSTERS = ["ns/a:1", "ns/b:1"];
const SECRETS = ["one", "two"];
const TLS_KINDS = ["https", "tls", "tls-passthrough"] as const;
const TLS_LISTENERS = ["l1", "l2", "l3"];

for (let seed = 1; seed <= 15; seed++) {
  test(`edits of streams and TLS end where one big compilation ends (seed ${seed})`, () => simulate(seed));
}

function simulate(seed: number): void {
  const random = seeded(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const one = <T>(items: readonly T[]): T => items[below(items.length)]!;
  const compiler = new TestCompiler();
  let snapshot: Snapshot = { resources: new Map() };
  let runtime: CompiledRuntime | undefined;
  for (let step = 0; step < 60; step++) {
    // what did not change keeps its identity, as the supervisor sees to
    const next = applyDelta(snapshot, diffSnapshots(snapshot, editAtRandom(snapshot, below, makeResource)));
    const before = runtime;
    runtime = compileNext(next, runtime);
    assert.equal(describe(runtime), describe(new TestCompiler().activate(next.resources.values())));
    assertKept(before, runtime);
    snapshot = next;
    if (below(2) === 0) runtime.activate();
    if (below(4) === 0) runtime.disposeUnused();
  }

  function compileNext(next: Snapshot, previous: CompiledRuntime | undefined): CompiledRuntime {
    const delta = below(2) === 0 ? undefined : diffSnapshots(snapshot, next);
    const outcome = compiler.compile(next, previous, delta);
    assert.ok(outcome.ok);
    return outcome.value;
  }

  function makeResource(): Resource {
    switch (below(8)) {
      case 0:
        return toSecret(one(SECRETS), one(["CERT", "OTHER"]));
      case 1:
        return toAuthorities("ca", one(["CA", "OTHER"]), one([undefined, "LIST"]));
      case 2:
        return makeCluster();
      case 3:
        return toEndpoints(one(CLUSTERS), 1 + below(3));
      case 4:
        return makePassingListener(one(["tcp", "udp"] as const));
      case 5:
        return makeTlsListener();
      default:
        return makeRoute();
    }
  }

  function makeCluster(): Resource {
    const trust = one(["system" as const, ["ConfigMap/ns/ca"]]);
    const tls = { serverName: one(["a", "b"]), identities: [], trust, clientCertificate: `ns/${one(SECRETS)}` };
    return toCluster(one(CLUSTERS), { ...(below(2) === 0 ? {} : { tls }), protocol: one(["http1", "http2"] as const) });
  }

  function makePassingListener(protocol: ListenerProtocol): Resource {
    const stream = { idleTimeout: 1 + below(2), maxLifetime: 0 };
    return toListener(protocol, { protocol, ...(below(2) === 0 ? {} : { stream }) });
  }

  function makeTlsListener(): Resource {
    const protocol = one(TLS_KINDS);
    const hostname = one([undefined, ...HOSTS.slice(1)]);
    const clientValidation = { mode: one(["require", "request"] as const), authorities: ["ConfigMap/ns/ca"] };
    const validation: { clientValidation?: ClientValidation } = below(2) === 0 ? {} : { clientValidation };
    const certificates = SECRETS.filter(() => below(3) > 0).map((name) => `ns/${name}`);
    return toListener(one(TLS_LISTENERS), {
      bind: { address: "0.0.0.0", port: 8443 },
      protocol,
      ...(hostname === undefined ? {} : { hostname }),
      ...(protocol === "tls-passthrough" ? {} : { tls: { certificates, ...validation } }),
    });
  }

  function makeRoute(): Resource {
    const listeners = ["tcp", "udp", ...TLS_LISTENERS].filter(() => below(2) === 0);
    const attachments = listeners.map((name) => ({
      listener: `ns/gateway/${name}`,
      hostnames: HOSTS.filter(() => below(2) === 0),
    }));
    const clusters = CLUSTERS.filter(() => below(2) === 0);
    return toStreamRoute(`r${below(5)}`, clusters, { age: String(below(3)), attachments });
  }
}

/** All that the ports do, as text. */
function describe(runtime: CompiledRuntime): string {
  const lines: string[] = [];
  for (const [key, bind] of [...runtime.binds].sort(([one], [other]) => (one < other ? -1 : 1))) {
    lines.push(`${key} ${bind.transport} ${JSON.stringify(bind.fallback)} ${toRouteText(bind.stream)}`);
    if (bind.tls === undefined) continue;
    for (const name of SERVER_NAMES) lines.push(`  ${name} ${toChainText(bind.tls.choose(name))}`);
  }
  return lines.join("\n");
}

function toChainText(chain: CompiledTlsChain | undefined): string {
  if (chain === undefined) return "nobody";
  const { listener, termination, carries, stream } = chain;
  return `${JSON.stringify(listener)} ${JSON.stringify(termination)} ${carries} ${toRouteText(stream)}`;
}

/** What a route would do: all its shares, in no order, since credit is kept. */
function toRouteText(route: CompiledStreamRoute | undefined): string {
  if (route === undefined) return "no route";
  const picks = [0, 1].map(() => route.pick());
  const texts = picks.map((backend) => (backend === undefined ? "none" : (backend.cluster?.key ?? backend.invalid)));
  return `${route.key} ${texts.sort().join(" ")}`;
}

/** Chains that mean the same are the same object. */
function assertKept(before: CompiledRuntime | undefined, after: CompiledRuntime): void {
  const old = before?.binds.get("0.0.0.0:8443")?.tls;
  const tls = after.binds.get("0.0.0.0:8443")?.tls;
  if (old === undefined || tls === undefined) return;
  for (const name of SERVER_NAMES) {
    const one: CompiledTlsChain | undefined = old.choose(name);
    const other: CompiledTlsChain | undefined = tls.choose(name);
    if (isDeepStrictEqual(toParts(one), toParts(other))) assert.equal(other, one, name);
  }
}

/** What tells chains apart; routes are functions, which are equal where they are the same. */
function toParts(chain: CompiledTlsChain | undefined): readonly unknown[] {
  return [chain?.listener, chain?.stream, chain?.termination?.id];
}
