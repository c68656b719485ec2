/** Compiling on top of a runtime gives what compiling from nothing gives, whatever was edited in between. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { HttpMatch } from "@sallyport/model/match";
import { diffSnapshots, type Resource, type Snapshot } from "@sallyport/model/snapshot";
import { seeded } from "@sallyport/testkit/random";
import {
  editAtRandom,
  TestCompiler,
  toBackend,
  toCluster,
  toDestination,
  toEndpoints,
  toListener,
  toRoute,
} from "../../test/compile/resources.ts";
import { toInput } from "../../test/router/inputs.ts";
import type { CompiledRuntime } from "./contract.ts";

const HOSTS = ["*", "*.example", "a.example", "b.a.example"];
const LISTENERS = ["one", "two", "three"];
const CLUSTERS = ["ns/a:80", "ns/b:80", "ns/c:80"];
const PATHS = ["/", "/a", "/a/b", "/b"];
const INPUTS = ["a.example", "b.a.example", "c.example", "other"].flatMap((host) =>
  [...PATHS, "/a/b/c", "/ab"].flatMap((path) => [toInput({ host, path }), toInput({ host, path, method: "POST" })]),
);

for (let seed = 1; seed <= 15; seed++) {
  test(`edits one by one end where one big compilation ends (seed ${seed})`, () => simulate(seed));
}

function simulate(seed: number): void {
  const random = seeded(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const one = <T>(items: readonly T[]): T => items[below(items.length)]!;
  const compiler = new TestCompiler();
  let snapshot: Snapshot = { resources: new Map() };
  let runtime: CompiledRuntime | undefined;
  for (let step = 0; step < 60; step++) {
    const next = editAtRandom(snapshot, below, makeResource);
    runtime = compileNext(next, runtime);
    snapshot = next;
    const anew = new TestCompiler().activate(snapshot.resources.values());
    for (const input of INPUTS) {
      for (const bind of ["0.0.0.0:8080", "[::1]:8443"]) {
        assert.equal(toDestination(runtime, input, bind), toDestination(anew, input, bind));
      }
    }
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
    const kind = below(10);
    if (kind < 2) return makeListener();
    if (kind === 2) return toCluster(one(CLUSTERS), { protocol: below(3) === 0 ? "http2" : "http1" });
    if (kind === 3) return toEndpoints(one(CLUSTERS), 1 + below(3));
    const rules = Array.from({ length: below(3) }, () => ({
      matches: Array.from({ length: below(3) }, makeMatch),
      policies: [],
      backends: [toBackend(one(CLUSTERS))],
    }));
    const attachments = LISTENERS.filter(() => below(2) === 0).map((name) => ({
      listener: `ns/gateway/${name}`,
      hostnames: HOSTS.filter(() => below(2) === 0),
    }));
    return toRoute(`route-${below(6)}`, rules, { age: String(below(3)), attachments });
  }

  function makeListener(): Resource {
    const hostname = one([undefined, "*.example", "a.example"]);
    const bind = below(3) === 0 ? { address: "::1", port: 8443 } : { address: "0.0.0.0", port: 8080 };
    const port = below(4) === 0 ? 81 : 80;
    return toListener(one(LISTENERS), { ...(hostname === undefined ? {} : { hostname }), bind, port });
  }

  function makeMatch(): HttpMatch {
    const kind = one(["exact", "prefix", "regex"] as const);
    const path = { kind, value: one(PATHS) };
    return { path, headers: [], query: [], ...(below(3) === 0 ? { method: "POST" } : {}) };
  }
}
