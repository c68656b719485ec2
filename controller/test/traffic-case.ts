/** Random worlds with traffic policies: what is in them, and the objects that say so. */
import fc from "fast-check";
import { goldenOptions } from "./golden-world.ts";

/** Where a policy may be: sections are listeners, rules and ports by name. */
export interface Target {
  readonly kind: "Gateway" | "ListenerSet" | "HTTPRoute" | "Service";
  readonly name: string;
  readonly section?: string;
}

/** A policy; each of its values is `value`, so that it is known by it. */
export interface CasePolicy {
  readonly name: string;
  readonly second: number;
  readonly targets: readonly Target[];
  readonly fields: readonly CaseField[];
  readonly value: number;
}

/** Fields of policies that cases have, of rules, of clusters and of contents. */
export type CaseField = "timeout" | "retry" | "circuitBreaker" | "connection" | "requestBody";

/** A route: parents as listeners that it names, `""` for all of the Gateway. */
export interface CaseRoute {
  readonly name: string;
  readonly parents: readonly ("" | "l0" | "l1" | "s0")[];
  readonly rules: readonly {
    readonly name?: string;
    readonly hasTimeout: boolean;
    readonly backends: readonly { readonly service: string; readonly port: number; readonly weight: number }[];
  }[];
}

/** A world: besides, it has the Gateway `edge` with the listeners l0 and l1, and the ListenerSet `set` with s0. */
export interface Case {
  readonly policies: readonly CasePolicy[];
  readonly routes: readonly CaseRoute[];
}

const anyTarget: fc.Arbitrary<Target> = fc.constantFrom<Target>(
  { kind: "Gateway", name: "edge" },
  { kind: "Gateway", name: "edge", section: "l0" },
  { kind: "Gateway", name: "edge", section: "nowhere" },
  { kind: "Gateway", name: "foreign" },
  { kind: "ListenerSet", name: "set" },
  { kind: "ListenerSet", name: "set", section: "s0" },
  { kind: "HTTPRoute", name: "r0" },
  { kind: "HTTPRoute", name: "r0", section: "n0" },
  { kind: "HTTPRoute", name: "r1", section: "n1" },
  { kind: "HTTPRoute", name: "nothing" },
  { kind: "Service", name: "web" },
  { kind: "Service", name: "web", section: "p1" },
  { kind: "Service", name: "api" },
  { kind: "Service", name: "api", section: "p9" },
);

const anyPolicies = fc
  .array(
    fc.record({
      second: fc.nat({ max: 2 }),
      targets: fc.uniqueArray(anyTarget, { minLength: 1, maxLength: 3 }),
      fields: fc.uniqueArray(
        fc.constantFrom<CaseField>("timeout", "retry", "circuitBreaker", "connection", "requestBody"),
        { minLength: 1 },
      ),
    }),
    { maxLength: 8 },
  )
  .map((policies) => policies.map((policy, index) => ({ ...policy, name: `p${index}`, value: index + 1 })));

const anyBackend = fc.record({
  service: fc.constantFrom("web", "api"),
  port: fc.constantFrom(80, 81),
  weight: fc.constantFrom(0, 1, 2),
});

const anyRule = fc.record({
  hasTimeout: fc.boolean(),
  isNamed: fc.boolean(),
  backends: fc.array(anyBackend, { minLength: 1, maxLength: 2 }),
});

const anyRoutes = fc
  .array(
    fc.record({
      // The API refuses a Gateway as a whole beside its listeners.
      parents: fc.constantFrom<CaseRoute["parents"]>([""], ["", "s0"], ["l0"], ["l1", "l0"], ["s0", "l0"], ["s0"]),
      rules: fc.array(anyRule, { minLength: 1, maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 2 },
  )
  .map((routes) =>
    routes.map(({ parents, rules }, index) => ({
      name: `r${index}`,
      parents,
      rules: rules.map(({ isNamed, ...rule }, at) => ({ ...rule, ...(isNamed ? { name: `n${at}` } : {}) })),
    })),
  );

/** Any case. */
export const anyCase: fc.Arbitrary<Case> = fc.record({ policies: anyPolicies, routes: anyRoutes });

const API = "gateway.networking.k8s.io";
const created = (second: number) => ({ creationTimestamp: `2026-01-02T03:04:0${second}Z`, generation: 7 });

/** The objects of a case, as JSON texts. */
export function toObjects({ policies, routes }: Case): string[] {
  const toListener = (name: string, port: number) => ({ name, port, protocol: "HTTP" });
  const toGateway = (name: string, gatewayClassName: string) => ({
    apiVersion: `${API}/v1`,
    kind: "Gateway",
    metadata: { name, namespace: "shop", ...created(0) },
    spec: {
      gatewayClassName,
      allowedListeners: { namespaces: { from: "Same" } },
      listeners: [toListener("l0", 80), toListener("l1", 8080)],
    },
  });
  const toClass = (name: string, controllerName: string) => ({
    apiVersion: `${API}/v1`,
    kind: "GatewayClass",
    metadata: { name, ...created(0) },
    spec: { controllerName },
  });
  const toService = (name: string) => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "shop", ...created(0) },
    spec: { ports: ["p1", "p2"].map((port, index) => ({ name: port, port: 80 + index })) },
  });
  const set = {
    apiVersion: `${API}/v1`,
    kind: "ListenerSet",
    metadata: { name: "set", namespace: "shop", ...created(0) },
    spec: { parentRef: { name: "edge" }, listeners: [toListener("s0", 9000)] },
  };
  return [
    toClass("sallyport", goldenOptions.controllerName),
    toClass("other", "example.com/other"),
    toGateway("edge", "sallyport"),
    toGateway("foreign", "other"),
    set,
    ...["web", "api"].map(toService),
    ...routes.map(toRoute),
    ...policies.map(toPolicy),
  ].map((object) => JSON.stringify(object));
}

function toRoute({ name, parents, rules }: CaseRoute): object {
  return {
    apiVersion: `${API}/v1`,
    kind: "HTTPRoute",
    metadata: { name, namespace: "shop", ...created(0) },
    spec: {
      parentRefs: parents.map((parent) => {
        if (parent === "s0") return { kind: "ListenerSet", name: "set" };
        return parent === "" ? { name: "edge" } : { name: "edge", sectionName: parent };
      }),
      rules: rules.map(({ name: rule, hasTimeout, backends }, index) => ({
        ...(rule === undefined ? {} : { name: rule }),
        matches: [{ path: { value: `/${index}` } }],
        ...(hasTimeout ? { timeouts: { request: "77s" } } : {}),
        backendRefs: backends.map(({ service, port, weight }) => ({ name: service, port, weight })),
      })),
    },
  };
}

function toPolicy({ name, second, targets, fields, value }: CasePolicy): object {
  const values: Readonly<Record<CaseField, object>> = {
    timeout: { request: `${value}s`, connect: `${value}s` },
    retry: { attempts: value },
    circuitBreaker: { maxConnections: value },
    connection: { tcpKeepAlive: `${value}s` },
    requestBody: { maxBytes: value },
  };
  return {
    apiVersion: "policy.sallyport.io/v1alpha1",
    kind: "BackendTrafficPolicy",
    metadata: { name, namespace: "shop", ...created(second) },
    spec: {
      targetRefs: targets.map(({ kind, name: target, section }) => ({
        group: kind === "Service" ? "" : API,
        kind,
        name: target,
        ...(section === undefined ? {} : { sectionName: section }),
      })),
      ...Object.fromEntries(fields.map((field) => [field, values[field]])),
    },
  };
}
