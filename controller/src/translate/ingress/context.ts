/** What the parts of an Ingress's translation know of where they are. */
import type { HttpRule } from "@sallyport/model/route";
import type { World, WorldObject } from "../../world/world.ts";
import type { ServiceTrust } from "../service-trust.ts";
import { findHolder } from "../policy/attachment.ts";
import { toLayers, type TrafficPolicies } from "../traffic/policies.ts";
import { insertContents, shapeRule } from "../traffic/rule.ts";
import { type SurroundingLayers, TrafficScope } from "../traffic/scope.ts";
import type { TranslatedBackend } from "./backends.ts";

/** The world, the Ingress, what Services are believed, and what traffic policies say of it. */
export interface IngressContext {
  readonly world: World;
  readonly trust: ServiceTrust;
  readonly namespace: string;
  readonly name: string;
  readonly scope: TrafficScope;
  readonly layers: SurroundingLayers;
}

/** Group of Ingresses. */
export const INGRESS_API = "networking.k8s.io";

/** The context of one Ingress. */
export function toIngressContext(
  { world, trust, policies }: Pick<IngressContext, "world" | "trust"> & { readonly policies: TrafficPolicies },
  { namespace, name }: WorldObject<"Ingress">,
): IngressContext {
  const own = findHolder(policies.own, namespace, { group: INGRESS_API, kind: "Ingress", name });
  const layers = { above: toLayers([own]), below: [] };
  return { world, trust, namespace, name, scope: new TrafficScope(policies), layers };
}

/** The rule that sends requests to a backend. `id` is what tells it from the others of its Ingress. */
export function toRule(
  { namespace, name, scope, layers }: IngressContext,
  { matches, id }: Pick<HttpRule, "matches"> & { readonly id: string },
  { backend, traffic }: TranslatedBackend,
): HttpRule {
  const owner = `Ingress ${namespace}/${name}`;
  const shaped = shapeRule(layers, [traffic], { owner, ruleId: `${owner} ${id}` });
  scope.note(shaped.fates);
  return { matches, policies: insertContents([], shaped.contents), backends: [backend], ...shaped.extras };
}
