/** What a family of objects says of traffic policies: whom their targets concern there, and whose fields are in force. */
import type { Flaw } from "../flaw.ts";
import type { AncestorRef, FieldFate, TargetRef } from "../policy/attachment.ts";
import type { TrafficVariants } from "./variant.ts";

/** A target of a policy, and where it stands. */
export interface PolicyTarget {
  readonly namespace: string;
  readonly ref: TargetRef;
  readonly path: string;
}

/** What a target comes to for one family of objects. */
export type TargetVerdict =
  /** It is another controller's, or of a kind that the family does not know. */
  | { readonly kind: "foreign" }
  | { readonly kind: "missing"; readonly flaw: Flaw }
  | { readonly kind: "found"; readonly ancestors: readonly AncestorRef[] };

/** What a family of objects says of traffic policies. */
export interface FamilyTraffic {
  /** Settings of clusters its routes name. */
  readonly variants: TrafficVariants;
  /** Whom a target concerns; of a Service those that use it. */
  findTarget(target: PolicyTarget): TargetVerdict;
  /** What becomes of fields of policies, by owner as `tellPolicy` has it. */
  readonly fates: ReadonlyMap<string, readonly AncestorFates[]>;
}

/** Fates of fields for one ancestor. */
export interface AncestorFates {
  readonly ref: AncestorRef;
  readonly fates: readonly FieldFate[];
}

/** The flaw of a target that is not there. */
export function toMissingTarget(path: string, message: string, hint: { readonly hint?: string }): Flaw {
  return { reason: "TargetNotFound", code: "unresolved-reference", path, message, ...hint };
}
