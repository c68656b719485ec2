/** What proxies get of a namespace that is not theirs: what its ReferenceGrants allow at that moment, and no byte more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Snapshot } from "@sallyport/model/snapshot";
import { validateSnapshot } from "@sallyport/model/validate";
import { runs } from "@sallyport/testkit/runs";
import fc from "fast-check";
import { translateWorld } from "../src/translate/run.ts";
import { sliceSnapshot } from "../src/translate/slice.ts";
import type { WorldTranslation } from "../src/translate/translator.ts";
import { type AnyWorldObject, indexWorld } from "../src/world/indexed-world.ts";
import { clusterOptions, objectsOf } from "./golden-world.ts";
import { loadWorld } from "./load-world.ts";

/** Namespaces of Gateways and routes; what they refer to is in `c`. */
const OWNERS = ["a", "b"] as const;
const NAMES = ["one", "two"] as const;
const GATEWAY_API = "gateway.networking.k8s.io";

type Owner = (typeof OWNERS)[number];
type Name = (typeof NAMES)[number];

/** What can be in a slice of a target and of nothing else: the body of its key, or the address of its endpoint. */
const MARKS: readonly { readonly kind: "Secret" | "Service"; readonly name: Name; readonly text: string }[] = [
  { kind: "Secret", name: "one", text: "MAMCAQE=" },
  { kind: "Secret", name: "two", text: "MAMCAQI=" },
  { kind: "Service", name: "one", text: "10.3.0.1" },
  { kind: "Service", name: "two", text: "10.3.0.2" },
];

function toMark(kind: "Secret" | "Service", name: Name): string {
  return MARKS.find((mark) => mark.kind === kind && mark.name === name)?.text ?? assert.fail();
}

const anyNames = fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 2 });

const anyRoute = fc.record({
  namespace: fc.constantFrom(...OWNERS),
  /** Namespaces of the Gateways it hangs on. */
  parents: fc.uniqueArray(fc.constantFrom(...OWNERS), { minLength: 1 }),
  backends: anyNames,
  mirrors: anyNames,
});

/** The right ones five times out of six, so that whole grants are right often enough. */
function mostly<T>(right: fc.Arbitrary<T>, wrong: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 5, arbitrary: right }, { weight: 1, arbitrary: wrong });
}

const anyGrant = fc.record({
  name: fc.constantFrom("g1", "g2", "g3", "g4"),
  namespace: mostly<string>(fc.constant("c"), fc.constantFrom(...OWNERS)),
  from: fc.array(
    fc.record({
      group: mostly(fc.constant(GATEWAY_API), fc.constantFrom("", "example.com")),
      kind: mostly(fc.constantFrom("Gateway", "HTTPRoute"), fc.constant("GRPCRoute")),
      namespace: mostly<string>(fc.constantFrom(...OWNERS), fc.constant("c")),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  to: fc.array(
    fc.record({
      group: mostly(fc.constant(""), fc.constant("apps")),
      kind: mostly(fc.constantFrom("Secret", "Service"), fc.constant("ConfigMap")),
      name: fc.option(fc.constantFrom(...NAMES), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

type AnyRoute = typeof anyRoute extends fc.Arbitrary<infer T> ? T : never;
type AnyGrant = typeof anyGrant extends fc.Arbitrary<infer T> ? T : never;

const anyWalk = fc.record({
  certificates: fc.record({ a: anyNames, b: anyNames }),
  routes: fc.array(anyRoute, { maxLength: 4 }),
  grants: fc.array(anyGrant, { minLength: 1, maxLength: 8 }),
  /** Which grants are there, one world after the other; of two with one name and namespace, the last. */
  worlds: fc.array(fc.array(fc.nat({ max: 7 }), { maxLength: 6 }), { minLength: 2, maxLength: 6 }),
});

type AnyWalk = typeof anyWalk extends fc.Arbitrary<infer T> ? T : never;

function toGateway(namespace: Owner, certificates: readonly Name[]): object {
  const open = { allowedRoutes: { namespaces: { from: "All" } } };
  return {
    apiVersion: `${GATEWAY_API}/v1`,
    kind: "Gateway",
    metadata: { name: "edge", namespace },
    spec: {
      gatewayClassName: "sallyport",
      listeners: [
        { name: "http", port: 80, protocol: "HTTP", ...open },
        ...certificates.map((name) => ({
          ...{ name, port: 443, protocol: "HTTPS", hostname: `${name}.example.com`, ...open },
          tls: { certificateRefs: [{ name, namespace: "c" }] },
        })),
      ],
    },
  };
}

function toRoute({ namespace, parents, backends, mirrors }: AnyRoute, index: number): object {
  const toTarget = (name: Name): object => ({ name, namespace: "c", port: 80 });
  return {
    apiVersion: `${GATEWAY_API}/v1`,
    kind: "HTTPRoute",
    metadata: { name: `r${index}`, namespace },
    spec: {
      parentRefs: parents.map((parent) => ({ name: "edge", namespace: parent })),
      rules: [
        { backendRefs: [{ name: "home", port: 80 }] },
        ...backends.map((name) => ({
          matches: [{ path: { value: `/backend-${name}` } }],
          backendRefs: [toTarget(name)],
        })),
        ...mirrors.map((name) => ({
          matches: [{ path: { value: `/mirror-${name}` } }],
          filters: [{ type: "RequestMirror", requestMirror: { backendRef: toTarget(name) } }],
          backendRefs: [{ name: "home", port: 80 }],
        })),
      ],
    },
  };
}

function toSecret(name: Name): object {
  const toPem = (label: string): string =>
    `-----BEGIN ${label}-----\n${toMark("Secret", name)}\n-----END ${label}-----\n`;
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: "c" },
    type: "kubernetes.io/tls",
    stringData: { "tls.crt": toPem("CERTIFICATE"), "tls.key": toPem("PRIVATE KEY") },
  };
}

function toService(namespace: string, name: string): object {
  return { apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec: { ports: [{ port: 80 }] } };
}

function toEndpoints(name: Name): object {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, namespace: "c", labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [{ port: 80 }],
    endpoints: [{ addresses: [toMark("Service", name)], conditions: { ready: true } }],
  };
}

function toGrant({ name, namespace, ...spec }: AnyGrant): object {
  return { apiVersion: `${GATEWAY_API}/v1`, kind: "ReferenceGrant", metadata: { name, namespace }, spec };
}

async function load(raw: readonly object[]): Promise<AnyWorldObject[]> {
  const { world, problems } = await loadWorld({
    "case.yaml": raw.map((each) => JSON.stringify(each)).join("\n---\n"),
  });
  assert.deepEqual(problems, []);
  return objectsOf(world);
}

const CLASS = {
  apiVersion: `${GATEWAY_API}/v1`,
  kind: "GatewayClass",
  metadata: { name: "sallyport" },
  spec: { controllerName: clusterOptions.controllerName },
};

/** Everything but grants. */
function loadLasting({ certificates, routes }: AnyWalk): Promise<AnyWorldObject[]> {
  return load([
    CLASS,
    ...OWNERS.flatMap((owner) => [toGateway(owner, certificates[owner]), toService(owner, "home")]),
    ...routes.map(toRoute),
    ...NAMES.flatMap((name) => [toSecret(name), toService("c", name), toEndpoints(name)]),
  ]);
}

interface Reference {
  readonly from: { readonly kind: "Gateway" | "HTTPRoute"; readonly namespace: Owner };
  readonly to: { readonly kind: "Secret" | "Service"; readonly name: Name };
}

/** The references that proxies of a Gateway need followed, each by who makes it. */
function referencesOf({ certificates, routes }: AnyWalk, gateway: Owner): Reference[] {
  return [
    ...certificates[gateway].map((name): Reference => ({
      from: { kind: "Gateway", namespace: gateway },
      to: { kind: "Secret", name },
    })),
    ...routes
      .filter(({ parents }) => parents.includes(gateway))
      .flatMap(({ namespace, backends, mirrors }) =>
        [...backends, ...mirrors].map((name): Reference => ({
          from: { kind: "HTTPRoute", namespace },
          to: { kind: "Service", name },
        })),
      ),
  ];
}

/** GEP-709 once more, for this test alone: all pairs a grant gives, as text. */
function pairsOf(grants: Iterable<AnyGrant>): ReadonlySet<string> {
  const pairs = new Set<string>();
  for (const { namespace, from, to } of grants) {
    if (namespace !== "c") continue;
    for (const source of from)
      for (const target of to)
        for (const name of target.name === undefined ? NAMES : [target.name])
          pairs.add([source.group, source.kind, source.namespace, target.group, target.kind, name].join(" "));
  }
  return pairs;
}

function isAllowed(pairs: ReadonlySet<string>, { from, to }: Reference): boolean {
  return pairs.has([GATEWAY_API, from.kind, from.namespace, "", to.kind, to.name].join(" "));
}

/** What a slice has of `c`: `Secret one`, by what is found anywhere in it, whatever it is called there. */
function findMarks(slice: Snapshot): string[] {
  const text = JSON.stringify([...slice.resources]);
  return MARKS.filter((mark) => text.includes(mark.text)).map(({ kind, name }) => `${kind} ${name}`);
}

test("proxies hold keys and endpoints of another namespace exactly as long as a grant there allows it", async () => {
  const seen = { held: 0, withheld: 0, revoked: 0 };
  await fc.assert(
    fc.asyncProperty(anyWalk, async (walk) => {
      const lasting = await loadLasting(walk);
      const grants = await Promise.all(
        walk.grants.map(async (grant) => ({ grant, objects: await load([toGrant(grant)]) })),
      );
      let world = indexWorld([]);
      let translation: WorldTranslation | undefined;
      let slices: ReadonlyMap<string, Snapshot> = new Map();
      for (const picks of walk.worlds) {
        const picked = picks.flatMap((pick) => grants[pick % grants.length] ?? []);
        const present = new Map(picked.map((each) => [`${each.grant.namespace}/${each.grant.name}`, each])).values();
        const there = [...present];
        const pairs = pairsOf(there.map(({ grant }) => grant));
        world = indexWorld([...lasting, ...there.flatMap(({ objects }) => objects)], world);
        translation = translateWorld(world, clusterOptions, translation);
        const before = slices;
        slices = sliceSnapshot(translation.snapshot, translation.groups, slices);
        assert.deepEqual([...slices.keys()].toSorted(), ["a/edge", "b/edge"]);
        for (const owner of OWNERS) {
          const slice = slices.get(`${owner}/edge`) ?? assert.fail();
          assert.deepEqual(validateSnapshot(slice), []);
          const asked = referencesOf(walk, owner);
          const allowed = asked.filter((reference) => isAllowed(pairs, reference));
          const expected = new Set(allowed.map(({ to }) => `${to.kind} ${to.name}`));
          const marks = findMarks(slice);
          assert.deepEqual(marks.toSorted(), [...expected].toSorted(), `what the proxies of ${owner}/edge hold of c`);
          seen.held += marks.length;
          seen.withheld += asked.length - allowed.length;
          const held = before.get(`${owner}/edge`);
          if (held !== undefined) seen.revoked += findMarks(held).filter((mark) => !expected.has(mark)).length;
        }
      }
    }),
    { numRuns: runs(60) },
  );
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 20, `${what} ${count} times: this proves little`);
});
