// Specs of our policies with what is to be said of them: one list for our own validators and for those of a real API server.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

/** A kind of policy of ours. */
export type PolicyKind = "BackendTrafficPolicy" | "ClientTrafficPolicy";

/** One spec, and what comes of it. */
export interface PolicyCase {
  readonly kind: PolicyKind;
  readonly title: string;
  readonly spec: Readonly<Record<string, unknown>>;
  /** Fields of the spec with defaults. */
  readonly becomes?: Readonly<Record<string, unknown>>;
  /** The field that is to blame; absent: it is taken. `says` is part of what a rule says. */
  readonly refused?: { readonly field: string; readonly says?: string };
}

const FILES: Readonly<Record<PolicyKind, { readonly name: string; readonly target: object }>> = {
  BackendTrafficPolicy: { name: "backend-traffic-policy", target: { group: "", kind: "Service", name: "web" } },
  ClientTrafficPolicy: {
    name: "client-traffic-policy",
    target: { group: "gateway.networking.k8s.io", kind: "Gateway", name: "web" },
  },
};

/** All of them. */
export function readPolicyCases(): readonly PolicyCase[] {
  return (["BackendTrafficPolicy", "ClientTrafficPolicy"] as const).flatMap((kind) => {
    const { name, target } = FILES[kind];
    const file = fileURLToPath(new URL(`policies/${name}.yaml`, import.meta.url));
    const cases = parse(readFileSync(file, "utf8")) as readonly PolicyCase[];
    return cases.map((each) => ({ ...each, kind, spec: { targetRefs: [target], ...each.spec } }));
  });
}
