/** What traffic policies should come to, said as simply as can be and without any of the code that does it. */
import type { Case, CaseField, CasePolicy, CaseRoute, Target } from "./traffic-case.ts";

/** One place where requests pass: a rule of a route on a listener, and a backend of it. */
export interface Place {
  readonly route: CaseRoute;
  readonly rule: number;
  readonly listener: "l0" | "l1" | "s0";
  readonly backend: number;
}

/** All places of a case. */
export function placesOf({ routes }: Case): Place[] {
  return routes.flatMap((route) =>
    listenersOf(route).flatMap((listener) =>
      route.rules.flatMap(({ backends }, rule) => backends.map((_, backend) => ({ route, rule, listener, backend }))),
    ),
  );
}

function listenersOf({ parents }: CaseRoute): Place["listener"][] {
  const all = new Set(parents.flatMap((parent): Place["listener"][] => (parent === "" ? ["l0", "l1"] : [parent])));
  return [...all];
}

/** The policy that has a target: the oldest, then the first by name. */
export function holderOf({ policies }: Case, target: Target): CasePolicy | undefined {
  let best: CasePolicy | undefined;
  for (const policy of policies) {
    if (!policy.targets.some((other) => JSON.stringify(other) === JSON.stringify(target))) continue;
    const isBetter = best === undefined || `${policy.second} ${policy.name}` < `${best.second} ${best.name}`;
    if (isBetter) best = policy;
  }
  return best;
}

const PORTS: Readonly<Record<number, string>> = { 80: "p1", 81: "p2" };

/** Targets whose policies matter at a place, from the most specific on: above Services, of the Service, below. */
export function targetsAt({ route, rule, listener, backend }: Place): Record<"above" | "service" | "below", Target[]> {
  const { name } = route.rules[rule]!;
  const { service, port } = route.rules[rule]!.backends[backend]!;
  const own: Target = { kind: "HTTPRoute", name: route.name };
  const gateway: Target = { kind: "Gateway", name: "edge" };
  const set: Target = { kind: "ListenerSet", name: "set" };
  return {
    above: [...(name === undefined ? [] : [{ ...own, section: name }]), own],
    service: [
      { kind: "Service", name: service, section: PORTS[port]! },
      { kind: "Service", name: service },
    ],
    below: listener === "s0" ? [{ ...set, section: "s0" }, set, gateway] : [{ ...gateway, section: listener }, gateway],
  };
}

/** Whose field counts for the connections and contents of one backend. */
export function winnerAt(world: Case, place: Place, field: CaseField): CasePolicy | undefined {
  const { above, service, below } = targetsAt(place);
  return firstWith(world, [...above, ...service, ...below], field);
}

/** Whose field counts for the rule: of several backends that take requests the first whose Service has it decides. */
export function ruleWinnerAt(world: Case, place: Place, field: CaseField): CasePolicy | undefined {
  const { above, below } = targetsAt(place);
  const { backends } = place.route.rules[place.rule]!;
  const services = backends.flatMap(({ weight }, backend) =>
    weight === 0 ? [] : targetsAt({ ...place, backend }).service,
  );
  return firstWith(world, [...above, ...services, ...below], field);
}

function firstWith(world: Case, targets: readonly Target[], field: CaseField): CasePolicy | undefined {
  for (const target of targets) {
    const holder = holderOf(world, target);
    if (holder?.fields.includes(field)) return holder;
  }
  return undefined;
}
