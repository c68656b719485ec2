/** What a change of configuration costs a worker beside its traffic. */
import type { Snapshot } from "@sallyport/model/snapshot";
import { toSnapshot } from "@sallyport/model/snapshot";
import { bench } from "@sallyport/testkit/bench";
import { toFleet } from "../../test/compile/fleet.ts";
import { TestCompiler, toRoute, toRule } from "../../test/compile/resources.ts";
import { compileRuntime } from "./compile.ts";
import type { CompiledRuntime } from "./contract.ts";

for (const hosts of [1000, 1]) {
  const compiler = new TestCompiler();
  const { dependencies } = compiler;
  let runtime = compiler.activate(toFleet(10_000, hosts));
  let edits = 0;
  bench(`one route edited among 10 000 on ${hosts} hosts`, (iterations) => {
    for (let i = 0; i < iterations; i++) runtime = editOne(runtime);
    return runtime;
  });

  function editOne(previous: CompiledRuntime): CompiledRuntime {
    const attachments = [{ listener: "ns/gateway/http", hostnames: ["host-0.example.com"] }];
    const route = toRoute("route-0", [toRule(`/edit-${++edits}`, "ns/service-0:80")], { attachments });
    const resources = new Map(previous.snapshot.resources).set("http-route|ns/route-0", route);
    return finish(previous, { resources }, { upserted: [route], removed: [] });
  }

  function finish(
    previous: CompiledRuntime,
    snapshot: Snapshot,
    delta: { readonly upserted: readonly ReturnType<typeof toRoute>[]; readonly removed: readonly [] },
  ): CompiledRuntime {
    const compilation = compileRuntime({ epoch: 1, previous, snapshot, delta, dependencies });
    for (;;) {
      const step = compilation.next();
      if (step.done !== true) continue;
      if (!step.value.ok) throw new Error("does not compile");
      step.value.value.activate();
      return step.value.value;
    }
  }
}

const fleet = toSnapshot(toFleet(10_000, 1000));
bench("10 000 routes and clusters from nothing", (iterations) => {
  for (let i = 0; i < iterations; i++) new TestCompiler().compile(fleet);
  return fleet;
});
