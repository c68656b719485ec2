/** GatewayParameters: what a Gateway and its class say about the proxies that serve it (GEP-1867, GEP-1762). */
import type { KindMap } from "../../kube/kinds.ts";
import type { World, WorldObject } from "../../world/world.ts";
import { type Finding, type Flaw, hintObject } from "../flaw.ts";
import type { TranslateOptions } from "../translator.ts";

/** What GatewayParameters say. */
export type ParametersSpec = KindMap["GatewayParameters"]["spec"];

const GROUP = "sallyport.io";
const KIND = "GatewayParameters";

/** A reference to parameters, wherever it stands. */
interface ParametersRef {
  readonly path: string;
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  /** Absent where it must be given and is not. */
  readonly namespace?: string;
}

/** Why the parameters that a Gateway names cannot be had; empty where it names none. */
export function findGatewayParameterFlaws(world: World, gateway: WorldObject<"Gateway">): readonly Flaw[] {
  return findFlaws(world, refOfGateway(gateway));
}

/** Why the parameters that a class names cannot be had; empty where it names none. */
export function findClassParameterFlaws(world: World, gatewayClass: WorldObject<"GatewayClass">): readonly Flaw[] {
  return findFlaws(world, refOfClass(gatewayClass));
}

/** What a Gateway or a class names as its parameters and gets nothing by: without a cluster there are no pods to shape. */
export function findParameterRemarks(
  world: World,
  { proxies }: Pick<TranslateOptions, "proxies">,
  subject: WorldObject<"Gateway"> | WorldObject<"GatewayClass">,
): readonly Finding[] {
  const ref = subject.kind === "Gateway" ? refOfGateway(subject) : refOfClass(subject);
  if (proxies !== undefined || ref === undefined || find(world, ref) === undefined) return [];
  const message = `${KIND} say how proxies run in a cluster: what is served from files is as the command line says`;
  return [{ code: "unsupported-value", path: ref.path, message }];
}

/** What a Gateway and its class say, undefined where one names parameters that are not there. */
export function resolveParameters(
  world: World,
  gateway: WorldObject<"Gateway">,
  gatewayClass: WorldObject<"GatewayClass">,
): { readonly ofClass?: ParametersSpec; readonly ofGateway?: ParametersSpec } | undefined {
  const [classRef, gatewayRef] = [refOfClass(gatewayClass), refOfGateway(gateway)];
  const ofClass = classRef === undefined ? undefined : find(world, classRef)?.object.spec;
  const ofGateway = gatewayRef === undefined ? undefined : find(world, gatewayRef)?.object.spec;
  if ((classRef === undefined) !== (ofClass === undefined)) return undefined;
  if ((gatewayRef === undefined) !== (ofGateway === undefined)) return undefined;
  return { ...(ofClass === undefined ? {} : { ofClass }), ...(ofGateway === undefined ? {} : { ofGateway }) };
}

function refOfGateway({ namespace, object: { spec } }: WorldObject<"Gateway">): ParametersRef | undefined {
  const ref = spec.infrastructure?.parametersRef;
  if (ref === undefined) return undefined;
  return { path: "spec.infrastructure.parametersRef", group: ref.group, kind: ref.kind, name: ref.name, namespace };
}

function refOfClass({ object: { spec } }: WorldObject<"GatewayClass">): ParametersRef | undefined {
  return spec.parametersRef === undefined ? undefined : { path: "spec.parametersRef", ...spec.parametersRef };
}

function find(world: World, ref: ParametersRef): WorldObject<"GatewayParameters"> | undefined {
  if (ref.group !== GROUP || ref.kind !== KIND || ref.namespace === undefined) return undefined;
  return world.get(KIND, ref.namespace, ref.name);
}

function findFlaws(world: World, ref: ParametersRef | undefined): readonly Flaw[] {
  if (ref === undefined || find(world, ref) !== undefined) return [];
  const { path, group, kind, name, namespace } = ref;
  if (group !== GROUP || kind !== KIND) {
    const message = `parameters of kind ${kind} (${group === "" ? "core" : group}) are not supported`;
    const hint = `use the kind ${KIND} (${GROUP})`;
    return [{ reason: "InvalidParameters", code: "unsupported-value", path, message, hint }];
  }
  if (namespace === undefined) {
    const message = `${KIND} have a namespace, and the reference names none`;
    return [{ reason: "InvalidParameters", code: "invalid-value", path: `${path}.namespace`, message }];
  }
  const message = `there are no ${KIND} ${namespace}/${name}`;
  const hint = hintObject(name, world.list(KIND, namespace));
  return [{ reason: "InvalidParameters", code: "unresolved-reference", path, message, ...hint }];
}
