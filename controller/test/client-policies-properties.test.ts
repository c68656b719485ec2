/** Whatever policies say: ports stay whole, and who is not first on a port cuts nobody short. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Listener, toBindKey } from "@sallyport/model/listener";
import { resourcesOf } from "@sallyport/model/snapshot";
import fc from "fast-check";
import { translateWorld } from "../src/translate/run.ts";
import { clusterOptions, GATEWAY_CLASS, goldenOptions } from "./golden-world.ts";
import { loadClusterWorld } from "./load-world.ts";

/** Objects with listeners, in order of precedence. */
const OWNERS = [
  { kind: "Gateway", name: "first", year: 2020 },
  { kind: "ListenerSet", name: "early", year: 2021 },
  { kind: "ListenerSet", name: "late", year: 2022 },
  { kind: "Gateway", name: "second", year: 2023 },
] as const;
const LISTENERS = ["a", "b"];

/** Which of both ports each listener has, and what policies say. */
interface Plan {
  readonly ports: readonly (80 | 81)[];
  readonly policies: readonly {
    readonly owner: number;
    readonly section: "" | "a" | "b";
    readonly fields: number | undefined;
    readonly connections: number | undefined;
    readonly peers: string | undefined;
  }[];
}

const plans: fc.Arbitrary<Plan> = fc.record({
  ports: fc.array(fc.constantFrom(80 as const, 81 as const), { minLength: 8, maxLength: 8 }),
  policies: fc.array(
    fc.record({
      owner: fc.integer({ min: 0, max: OWNERS.length - 1 }),
      section: fc.constantFrom("" as const, "a" as const, "b" as const),
      fields: fc.option(fc.integer({ min: 1, max: 500 }), { nil: undefined }),
      connections: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
      peers: fc.option(fc.constantFrom("10.0.0.0/8", "192.0.2.0/24"), { nil: undefined }),
    }),
    { maxLength: 6 },
  ),
});

function toText({ ports, policies }: Plan): string {
  const owners = OWNERS.map(({ kind, name, year }, place) => {
    const listeners = LISTENERS.map(
      (listener, index) =>
        `{ name: ${listener}, port: ${ports[place * 2 + index] ?? 80}, protocol: HTTP, hostname: ${listener}.${name}.example }`,
    );
    const head =
      kind === "Gateway"
        ? "gatewayClassName: sallyport, allowedListeners: { namespaces: { from: Same } }"
        : "parentRef: { name: first }";
    return `---
apiVersion: gateway.networking.k8s.io/v1
kind: ${kind}
metadata: { name: ${name}, namespace: shop, creationTimestamp: "${year}-01-01T00:00:00Z" }
spec: { ${head}, listeners: [${listeners.join(", ")}] }
`;
  });
  return [CLASS, ...owners, ...policies.map(toPolicyText)].join("");
}

const CLASS = GATEWAY_CLASS;

function toPolicyText(policy: Plan["policies"][number], place: number): string {
  const { section, fields, connections, peers } = policy;
  const { kind, name } = OWNERS[policy.owner]!;
  const sectionName = section === "" ? "" : `, sectionName: ${section}`;
  return `---
apiVersion: policy.sallyport.io/v1alpha1
kind: ClientTrafficPolicy
metadata: { name: p${place}, namespace: shop }
spec:
  targetRefs: [{ group: gateway.networking.k8s.io, kind: ${kind}, name: ${name}${sectionName} }]
${fields === undefined ? "" : `  headers: { maxFields: ${fields} }\n`}${connections === undefined ? "" : `  connection: { maxConnections: ${connections} }\n`}${peers === undefined ? "" : `  proxyProtocol: { trustedCIDRs: [${peers}] }\n`}`;
}

/** Index into OWNERS. */
function ownerOf({ key }: Listener): number {
  return OWNERS.findIndex(({ name }) => key.split("/").at(-2) === name);
}

function strictest(listeners: readonly Listener[]): readonly unknown[] {
  const connections = listeners.map((listener) => listener.connections?.maxConnections ?? Infinity);
  return [Math.min(...listeners.map(({ http }) => http.maxHeaderFields)), Math.min(...connections)];
}

for (const [where, options] of [
  ["a directory", goldenOptions],
  ["a cluster", clusterOptions],
] as const) {
  test(`in ${where} the owner of a port's first listener has the say, and all trust the same peers`, async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const { snapshot } = translateWorld(await loadClusterWorld(toText(plan)), options);
        const listeners = resourcesOf(snapshot, "listener");
        assert.equal(listeners.length, 8);
        const proxiesOf = ({ key }: Listener): string => (options === clusterOptions ? key.split("/")[1]! : "");
        const ports = Map.groupBy(listeners, (listener) => `${proxiesOf(listener)} ${toBindKey(listener)}`);
        for (const [port, sharing] of ports) {
          const peers = new Set(sharing.map(({ proxyProtocol }) => JSON.stringify(proxyProtocol)));
          assert.equal(peers.size, 1, `${port}: ${[...peers].join(" ")}`);
          const first = Math.min(...sharing.map(ownerOf));
          assert.deepEqual(strictest(sharing), strictest(sharing.filter((one) => ownerOf(one) === first)), port);
        }
      }),
      { numRuns: 60 },
    );
  });
}
