import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadWorld } from "../../test/load-world.ts";
import type { World } from "../world/world.ts";
import { findBackendTls } from "./backend-tls.ts";

const ports = [
  { name: "a", port: 1, targetPort: 0, protocol: "TCP" },
  { name: "b", port: 2, targetPort: 0, protocol: "TCP" },
] as const;

const service = `apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { ports: [{ name: a, port: 1 }, { name: b, port: 2 }] }
`;

interface PolicyOptions {
  readonly name: string;
  readonly validation?: string;
  readonly sectionName?: string;
  readonly age?: number;
  readonly namespace?: string;
}

function toPolicy({ name, validation = SYSTEM, sectionName, age = 1, namespace = "shop" }: PolicyOptions): string {
  const section = sectionName === undefined ? "" : `, sectionName: ${sectionName}`;
  return `apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: { name: ${name}, namespace: ${namespace}, creationTimestamp: 2026-01-0${age}T00:00:00Z }
spec:
  targetRefs: [{ group: "", kind: Service, name: web${section} }]
  validation: { hostname: ${name}.example, ${validation} }
`;
}

const SYSTEM = "wellKnownCACertificates: System";
const BROKEN = 'caCertificateRefs: [{ group: "", kind: ConfigMap, name: ca }]';

async function load(...texts: readonly string[]): Promise<World> {
  const { world, problems } = await loadWorld({ "world.yaml": [service, ...texts].join("---\n") });
  assert.deepEqual(problems, []);
  return world;
}

/** The server name towards each port, or the reason why it is no backend; `-` in the clear. */
function summarize(world: World): string[] {
  const web = world.get("Service", "shop", "web");
  assert.ok(web !== undefined);
  return ports.map((port) => {
    const found = findBackendTls(world, web, port);
    return found.ok ? (found.value?.tls.serverName ?? "-") : found.error.reason;
  });
}

test("without a policy, and with one of another namespace, ports are spoken to in the clear", async () => {
  assert.deepEqual(summarize(await load()), ["-", "-"]);
  assert.deepEqual(summarize(await load(toPolicy({ name: "x", namespace: "other" }))), ["-", "-"]);
});

test("a policy for a port goes before an older one for the Service", async () => {
  const world = await load(toPolicy({ name: "whole" }), toPolicy({ name: "port", sectionName: "a", age: 2 }));
  assert.deepEqual(summarize(world), ["port.example", "whole.example"]);
});

test("a policy that names a port the Service does not have changes nothing", async () => {
  assert.deepEqual(summarize(await load(toPolicy({ name: "x", sectionName: "c" }))), ["-", "-"]);
});

test("of policies for one target the oldest counts, then the first by name, in whatever order they come", async () => {
  const policies = [
    toPolicy({ name: "young", age: 3 }),
    toPolicy({ name: "old-b" }),
    toPolicy({ name: "old-a" }),
    toPolicy({ name: "middle", age: 2 }),
  ];
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(policies, { minLength: policies.length }), async (shuffled) => {
      assert.deepEqual(summarize(await load(...shuffled)), ["old-a.example", "old-a.example"]);
    }),
    { numRuns: 10 },
  );
});

test("a broken policy that comes first leaves no backend, whatever else there is", async () => {
  const broken = toPolicy({ name: "broken", validation: BROKEN });
  const conflict = await load(broken, toPolicy({ name: "sound", age: 2 }));
  assert.deepEqual(summarize(conflict), ["InvalidCACertificateRef", "InvalidCACertificateRef"]);
  const byPort = await load(
    toPolicy({ name: "broken", validation: BROKEN, sectionName: "a", age: 2 }),
    toPolicy({ name: "sound" }),
  );
  assert.deepEqual(summarize(byPort), ["InvalidCACertificateRef", "sound.example"]);
});

test("a policy says something else once what it refers to is there: nothing is remembered between worlds", async () => {
  const policy = toPolicy({ name: "x", validation: BROKEN });
  const before = await load(policy);
  assert.deepEqual(summarize(before), ["InvalidCACertificateRef", "InvalidCACertificateRef"]);
  const certificate = "-----BEGIN CERTIFICATE-----\\nMAA=\\n-----END CERTIFICATE-----";
  const data = `{ ca.crt: "${certificate}" }`;
  const after = await load(
    policy,
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ca, namespace: shop }\ndata: ${data}\n`,
  );
  assert.deepEqual(summarize(after), ["x.example", "x.example"]);
  assert.deepEqual(summarize(before), ["InvalidCACertificateRef", "InvalidCACertificateRef"]);
});

test("no traffic leaves in the clear for a port that some policy selects, whatever is wrong with policies", async () => {
  const anyValidation = fc.constantFrom(
    SYSTEM,
    BROKEN,
    "wellKnownCACertificates: example.com/other",
    "caCertificateRefs: [{ group: example.com, kind: Trust, name: x }]",
  );
  const anyPolicy = fc.record({
    validation: anyValidation,
    sectionName: fc.constantFrom("a", "b", "c", undefined),
    age: fc.integer({ min: 1, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(anyPolicy, { maxLength: 5 }), async (policies) => {
      const world = await load(
        ...policies.map(({ sectionName, ...rest }, index) =>
          toPolicy({ name: `p${index}`, ...rest, ...(sectionName === undefined ? {} : { sectionName }) }),
        ),
      );
      const selected = (name: string) =>
        policies.some(({ sectionName }) => sectionName === undefined || sectionName === name);
      assert.deepEqual(
        summarize(world).map((found) => found !== "-"),
        [selected("a"), selected("b")],
      );
    }),
    { numRuns: 60 },
  );
});
