/** ReferenceGrants (GEP-709): leave of a namespace for references that come from another one. */
import type { World } from "../world/world.ts";

/** Group of the Gateway API. */
export const GATEWAY_API = "gateway.networking.k8s.io";

/** A reference, from an object of one kind to an object of another. */
export interface CrossReference {
  readonly from: { readonly group: string; readonly kind: string; readonly namespace: string };
  readonly to: { readonly group: string; readonly kind: string; readonly namespace: string; readonly name: string };
}

/**
 * Whether a reference may be followed: within a namespace always, into another one if a grant there names both ends.
 * Whether the target exists is not asked, so that a refusal tells nothing about another namespace.
 */
export function isPermitted(world: World, { from, to }: CrossReference): boolean {
  if (from.namespace === to.namespace) return true;
  return world.list("ReferenceGrant", to.namespace).some(({ object: { spec } }) => {
    const fromMatches = spec.from.some(
      (peer) => peer.group === from.group && peer.kind === from.kind && peer.namespace === from.namespace,
    );
    const toMatches = spec.to.some(
      (target) =>
        target.group === to.group &&
        target.kind === to.kind &&
        (target.name === undefined || target.name === "" || target.name === to.name),
    );
    return fromMatches && toMatches;
  });
}

/** How to permit a reference, for people. */
export function hintGrant({ from, to }: CrossReference): string {
  return (
    `a ReferenceGrant in the namespace ${to.namespace} must allow ${from.kind} of the namespace ${from.namespace} ` +
    `to refer to ${to.kind} ${to.name}`
  );
}
