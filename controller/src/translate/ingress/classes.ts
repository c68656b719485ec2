/** IngressClasses: which Ingresses are ours to serve (networking.k8s.io/v1, KEP-1453). */
import type { World, WorldObject } from "../../world/world.ts";
import { type Finding, hintObject } from "../flaw.ts";

/** What an IngressClass of ours names as its controller. */
const INGRESS_CONTROLLER = "sallyport.io/ingress-controller";

/** Older than spec.ingressClassName and still in use; the field wins where both are there. */
const CLASS_ANNOTATION = "kubernetes.io/ingress.class";
const DEFAULT_ANNOTATION = "ingressclass.kubernetes.io/is-default-class";

/** Whose an Ingress is: ours, another controller's, or nobody's for the reason found. */
export type Ownership =
  | { readonly kind: "ours" }
  | { readonly kind: "foreign" }
  | { readonly kind: "nobody"; readonly finding: Finding };

/** Says whose an Ingress is. */
export function findOwner(world: World, ingress: WorldObject<"Ingress">): Ownership {
  const { spec, metadata } = ingress.object;
  const annotation = metadata.annotations?.[CLASS_ANNOTATION];
  const name = spec.ingressClassName ?? annotation;
  if (name === undefined) return findDefaultOwner(world);
  const named = world.get("IngressClass", "", name);
  if (named !== undefined) return { kind: isOurs(named) ? "ours" : "foreign" };
  // An annotation is a word between users and a controller; other controllers need no object for it.
  if (spec.ingressClassName === undefined) return { kind: "foreign" };
  const { hint = "add an IngressClass that names the controller" } = hintObject(name, world.list("IngressClass"));
  const message = `there is no IngressClass ${name}, so nobody serves this Ingress`;
  return {
    kind: "nobody",
    finding: { code: "unresolved-reference", path: "spec.ingressClassName", message, hint },
  };
}

/** What an IngressClass of ours asks for and does not get. */
export function findClassRemarks({ object: { spec } }: WorldObject<"IngressClass">): readonly Finding[] {
  if (spec?.parameters === undefined) return [];
  const message = `parameters of kind ${spec.parameters.kind} are not supported and have no effect`;
  return [{ code: "unsupported-value", path: "spec.parameters", message }];
}

/** Whether it names our controller. */
export function isOurs({ object: { spec } }: WorldObject<"IngressClass">): boolean {
  return spec?.controller === INGRESS_CONTROLLER;
}

function findDefaultOwner(world: World): Ownership {
  const classes = world.list("IngressClass");
  const defaults = classes.filter(({ object }) => object.metadata.annotations?.[DEFAULT_ANNOTATION] === "true");
  if (defaults.some(isOurs)) return { kind: "ours" };
  if (defaults.length > 0) return { kind: "foreign" };
  const ours = classes.filter(isOurs).map(({ name }) => name);
  const [first] = ours;
  const finding: Finding = {
    code: "unresolved-reference",
    path: "spec.ingressClassName",
    message: "the Ingress names no class and there is no default class, so nobody serves it",
    hint:
      first === undefined
        ? `add an IngressClass with the controller ${INGRESS_CONTROLLER}`
        : `set ingressClassName: ${first}, or mark that class with the annotation ${DEFAULT_ANNOTATION}: "true"`,
  };
  return { kind: "nobody", finding };
}
