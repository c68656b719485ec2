/** What holds for routes of all kinds, on whatever listeners and beside whatever others. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Listener } from "@sallyport/model/listener";
import type { HttpRoute, StreamRoute } from "@sallyport/model/route";
import { resourcesOf, type Snapshot } from "@sallyport/model/snapshot";
import { validateSnapshot } from "@sallyport/model/validate";
import { runs } from "@sallyport/testkit/runs";
import fc from "fast-check";
import { intersectHostnames } from "../src/translate/hostname.ts";
import { translateWorld } from "../src/translate/run.ts";
import { GATEWAY_CLASS, goldenOptions } from "./golden-world.ts";
import { loadWorld } from "./load-world.ts";

const PRELUDE = `${GATEWAY_CLASS}---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { ports: [{ name: tcp, port: 80 }, { name: udp, port: 80, protocol: UDP }] }
---
apiVersion: v1
kind: Secret
metadata: { name: shop, namespace: shop }
type: kubernetes.io/tls
stringData:
  tls.crt: "-----BEGIN CERTIFICATE-----\\nMAA=\\n-----END CERTIFICATE-----\\n"
  tls.key: "-----BEGIN PRIVATE KEY-----\\nMAA=\\n-----END PRIVATE KEY-----\\n"
`;

const KINDS = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"] as const;
const HOSTS = ["a.example.com", "b.a.example.com", "example.com", "*.example.com", "*.a.example.com", "*.com"] as const;
const PORTS = { HTTP: 80, HTTPS: 443, TLS: 8443, TCP: 9000, UDP: 9000 } as const;

/** Protocols without hostnames have one listener each. */
function toIdentity({
  protocol,
  hostname,
}: {
  readonly protocol: keyof typeof PORTS;
  readonly hostname: unknown;
}): string {
  return protocol === "TCP" || protocol === "UDP" ? protocol : `${protocol} ${String(hostname)}`;
}

const anyListener = fc.record({
  protocol: fc.constantFrom<keyof typeof PORTS>("HTTP", "HTTPS", "TLS", "TCP", "UDP"),
  hostname: fc.option(fc.constantFrom(...HOSTS), { nil: undefined }),
  mode: fc.constantFrom("Terminate", "Passthrough"),
});

const anyRoute = fc.record({
  kind: fc.constantFrom(...KINDS),
  hostnames: fc.uniqueArray(fc.constantFrom(...HOSTS), { minLength: 1, maxLength: 3 }),
  /** Listeners it names; none stands for all of them. */
  sections: fc.uniqueArray(fc.nat({ max: 5 }), { maxLength: 3 }),
  service: fc.constantFrom("web", "web", "nothing"),
  second: fc.nat({ max: 3 }),
});

type AnyListener = typeof anyListener extends fc.Arbitrary<infer T> ? T : never;
type AnyRoute = typeof anyRoute extends fc.Arbitrary<infer T> ? T : never;

const anyCase = fc.record({
  // The API refuses two listeners of one port, protocol and hostname.
  listeners: fc.uniqueArray(anyListener, { minLength: 1, maxLength: 6, selector: toIdentity }),
  routes: fc.array(anyRoute, { minLength: 1, maxLength: 8 }),
});

function toGateway(listeners: readonly AnyListener[]): object {
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { name: "edge", namespace: "shop" },
    spec: {
      gatewayClassName: "sallyport",
      listeners: listeners.map(({ protocol, hostname, mode }, index) => {
        const takesNames = protocol !== "TCP" && protocol !== "UDP";
        const tls = protocol === "TLS" && mode === "Passthrough" ? { mode } : { certificateRefs: [{ name: "shop" }] };
        return {
          name: `l${index}`,
          port: PORTS[protocol],
          protocol,
          ...(takesNames && hostname !== undefined ? { hostname } : {}),
          ...(protocol === "TLS" || protocol === "HTTPS" ? { tls } : {}),
        };
      }),
    },
  };
}

function toRoute({ kind, hostnames, sections, service, second }: AnyRoute, index: number): object {
  const takesNames = kind !== "TCPRoute" && kind !== "UDPRoute";
  const refs = sections.length === 0 ? [{}] : sections.map((section) => ({ sectionName: `l${section}` }));
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind,
    metadata: {
      name: `r${index}`,
      namespace: "shop",
      creationTimestamp: `2026-01-02T03:04:0${second}Z`,
      generation: 7,
    },
    spec: {
      parentRefs: refs.map((ref) => ({ name: "edge", ...ref })),
      ...(takesNames ? { hostnames } : {}),
      rules: [{ backendRefs: [{ name: service, port: 80 }] }],
    },
  };
}

interface RouteStatus {
  readonly parents: readonly { readonly conditions: readonly { readonly type: string; readonly status: string }[] }[];
}

async function translateCase({ listeners, routes }: typeof anyCase extends fc.Arbitrary<infer T> ? T : never) {
  const objects = [toGateway(listeners), ...routes.map(toRoute)].map((object) => JSON.stringify(object));
  const { world, problems } = await loadWorld({ "case.yaml": [PRELUDE, ...objects].join("\n---\n") });
  assert.deepEqual(problems, []);
  return { world, ...translateWorld(world, goldenOptions) };
}

/** Everything routes have on listeners, a row for each hostname. */
function rowsOf(snapshot: Snapshot) {
  const listeners = new Map(resourcesOf(snapshot, "listener").map((listener) => [listener.key, listener]));
  const routes: (HttpRoute | StreamRoute)[] = [
    ...resourcesOf(snapshot, "http-route"),
    ...resourcesOf(snapshot, "stream-route"),
  ];
  return routes.flatMap((route) =>
    route.attachments.flatMap(({ listener: key, hostnames }) => {
      const listener = listeners.get(key);
      return listener === undefined
        ? []
        : hostnames.map((hostname) => ({ kind: kindOf(route), route, listener, hostname }));
    }),
  );
}

function kindOf({ key }: HttpRoute | StreamRoute): string {
  const [kind = ""] = key.split("/");
  return KINDS.some((known) => known === kind) ? kind : "HTTPRoute";
}

const CARRIERS: Readonly<Record<string, readonly Listener["protocol"][]>> = {
  HTTPRoute: ["http", "https"],
  GRPCRoute: ["http", "https"],
  TLSRoute: ["tls", "tls-passthrough"],
  TCPRoute: ["tcp"],
  UDPRoute: ["udp"],
};

test("routes hang only where their kind may; two kinds never share a host, and two streams no hostname", async () => {
  await fc.assert(
    fc.asyncProperty(anyCase, async (generated) => {
      const { snapshot } = await translateCase(generated);
      assert.deepEqual(validateSnapshot(snapshot), []);
      const rows = rowsOf(snapshot);
      for (const { kind, listener } of rows)
        assert.ok(CARRIERS[kind]?.includes(listener.protocol), `${kind} on ${listener.protocol}`);
      for (const [index, left] of rows.entries()) {
        for (const right of rows.slice(index + 1).filter(({ listener }) => listener === left.listener)) {
          if (intersectHostnames(left.hostname, right.hostname) === undefined) continue;
          assert.equal(left.kind, right.kind, `${left.route.key} and ${right.route.key} share a host`);
          const isShared = left.route.kind === "http-route" || left.hostname !== right.hostname;
          assert.ok(isShared, `${left.route.key} and ${right.route.key} share ${left.hostname}`);
        }
      }
    }),
    { numRuns: runs(50) },
  );
});

test("each parent of a route has one Accepted and one ResolvedRefs of the route's generation", async () => {
  await fc.assert(
    fc.asyncProperty(anyCase, async (generated) => {
      const { statuses } = await translateCase(generated);
      for (const { object, status } of statuses) {
        if (!object.kind.endsWith("Route")) continue;
        // The statuses of routes all have this form.
        const { parents } = status as RouteStatus;
        for (const { conditions } of parents) {
          const types = conditions.map(({ type }) => type);
          assert.deepEqual(types, ["Accepted", "ResolvedRefs"]);
          for (const condition of conditions) assert.partialDeepStrictEqual(condition, { observedGeneration: 7 });
        }
      }
    }),
    { numRuns: runs(50) },
  );
});

test("a route takes traffic only where a parent accepts it", async () => {
  await fc.assert(
    fc.asyncProperty(anyCase, async (generated) => {
      const { snapshot, statuses } = await translateCase(generated);
      const carrying = new Set(rowsOf(snapshot).map(({ kind, route }) => `${kind} ${nameOf(route)}`));
      for (const { object, status } of statuses) {
        if (!object.kind.endsWith("Route") || !carrying.has(`${object.kind} ${object.name}`)) continue;
        const { parents } = status as RouteStatus;
        assert.ok(
          parents.some(({ conditions: [accepted] }) => accepted?.status === "True"),
          object.name,
        );
      }
    }),
    { numRuns: runs(50) },
  );
});

test("translating twice gives the same", async () => {
  await fc.assert(
    fc.asyncProperty(anyCase, async (generated) => {
      const { world, snapshot, statuses, problems } = await translateCase(generated);
      const again = translateWorld(world, goldenOptions);
      assert.deepEqual(
        [[...again.snapshot.resources], again.statuses, again.problems],
        [[...snapshot.resources], statuses, problems],
      );
    }),
    { numRuns: runs(25) },
  );
});

function nameOf({ key }: HttpRoute | StreamRoute): string {
  return key.split("~")[0]?.split("/").at(-1) ?? "";
}
