/** Gateways of our classes: each judged by itself, then all of them together. */
import type { Listener, ListenerProtocol } from "@sallyport/model/listener";
import type { Problem } from "@sallyport/model/problem";
import type { Resource } from "@sallyport/model/snapshot";
import type { World, WorldObject } from "../../world/world.ts";
import { type Finding, type Flaw, hintObject, toProblem } from "../flaw.ts";
import { ANY_HOST, intersectHostnames } from "../hostname.ts";
import { toIpVersion } from "../ip-address.ts";
import type { TranslateOptions } from "../translator.ts";
import { findConflicts } from "./conflicts.ts";
import { findClassFlaws } from "./gateway-class.ts";
import type { GatewayDraft, GatewayPlan, ListenerDraft, ListenerPlan } from "./gateway-plan.ts";
import { draftListener } from "./listeners.ts";

/** All Gateways of ours, and what is to say of those that name no class at all. */
export interface GatewayPlans {
  /** By `namespace/name`. */
  readonly byKey: ReadonlyMap<string, GatewayPlan>;
  readonly problems: readonly Problem[];
}

/** Judges every Gateway whose class is ours. */
export function planGateways(world: World, options: TranslateOptions): GatewayPlans {
  const drafts: GatewayDraft[] = [];
  const problems: Problem[] = [];
  for (const gateway of world.list("Gateway")) {
    const gatewayClass = world.get("GatewayClass", "", gateway.object.spec.gatewayClassName);
    if (gatewayClass === undefined) problems.push(toProblem(gateway, toMissingClass(world, gateway)));
    else if (gatewayClass.object.spec.controllerName === options.controllerName) {
      drafts.push(draftGateway(world, options, { gateway, gatewayClass }));
    }
  }
  const conflicts = findConflicts(drafts);
  const plans = drafts.map((draft) => planGateway(draft, conflicts));
  return { byKey: new Map(plans.map((plan) => [toGatewayKey(plan.gateway), plan])), problems };
}

/** `namespace/name`. */
export function toGatewayKey({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}

/** The resources of the listeners that take traffic, and of their certificates. */
export function toListenerResources(plan: GatewayPlan, { http }: TranslateOptions): Resource[] {
  const resources: Resource[] = [];
  for (const listener of plan.listeners) {
    if (!listener.served || listener.protocol === undefined) continue;
    for (const bind of listener.binds) resources.push({ ...toListener(listener, listener.protocol, bind), http });
    resources.push(...listener.certificates);
  }
  return resources;
}

function toListener(
  { spec, hostname, tls, certificates }: ListenerPlan,
  protocol: ListenerProtocol,
  { key, address, port }: ListenerPlan["binds"][number],
): Omit<Listener, "http"> {
  return {
    kind: "listener",
    key,
    port: spec.port,
    bind: { address, port },
    protocol,
    ...(hostname === undefined ? {} : { hostname }),
    ...(tls === undefined ? {} : { tls: { certificates: certificates.map((secret) => secret.key), ...tls } }),
  };
}

interface ClassedGateway {
  readonly gateway: WorldObject<"Gateway">;
  readonly gatewayClass: WorldObject<"GatewayClass">;
}

function draftGateway(
  world: World,
  options: TranslateOptions,
  { gateway, gatewayClass }: ClassedGateway,
): GatewayDraft {
  const { spec } = gateway.object;
  const { addresses, flaws: addressFlaws } = selectAddresses(gateway, options);
  const context = { world, options, gateway, addresses };
  return {
    gateway,
    flaws: [...findRejectedClass(gatewayClass), ...findParameterFlaws(gateway), ...addressFlaws],
    remarks: findRemarks(gateway),
    listeners: spec.listeners.map((listener, index) => draftListener(context, listener, index)),
  };
}

function planGateway(draft: GatewayDraft, conflicts: ReadonlyMap<ListenerDraft, Flaw>): GatewayPlan {
  const listeners = draft.listeners.map((listener): ListenerPlan => {
    const conflict = conflicts.get(listener);
    const isSound = draft.flaws.length === 0 && listener.flaws.length === 0 && conflict === undefined;
    const served =
      isSound && listener.protocol !== undefined && (listener.tls === undefined || listener.certificates.length > 0);
    return { ...listener, conflict, served, overlaps: findOverlaps(listener, draft.listeners) };
  });
  return { ...draft, listeners };
}

/** GEP-3567: a client may reuse a connection for any name its certificate covers, so overlapping listeners are told. */
function findOverlaps(listener: ListenerDraft, all: readonly ListenerDraft[]): string[] {
  if (!isTls(listener)) return [];
  const hostname = listener.hostname ?? ANY_HOST;
  return all
    .filter((other) => other !== listener && isTls(other) && other.spec.port === listener.spec.port)
    .filter((other) => intersectHostnames(hostname, other.hostname ?? ANY_HOST) !== undefined)
    .map((other) => other.spec.name);
}

function isTls({ protocol }: ListenerDraft): boolean {
  return protocol === "https" || protocol === "tls" || protocol === "tls-passthrough";
}

function selectAddresses(
  { object: { spec } }: WorldObject<"Gateway">,
  { bindAddress }: TranslateOptions,
): { readonly addresses: readonly string[]; readonly flaws: readonly Flaw[] } {
  const addresses = new Set<string>();
  const flaws: Flaw[] = [];
  for (const [index, { type, value }] of (spec.addresses ?? []).entries()) {
    const path = `spec.addresses[${index}]`;
    const address = value ?? "";
    if (type !== "IPAddress") flaws.push(toAddressFlaw(`${path}.type`, `addresses of type ${type} are not supported`));
    else if (address === "") addresses.add(bindAddress);
    else if (toIpVersion(address) === undefined)
      flaws.push(toAddressFlaw(`${path}.value`, `${address} is no IP address`));
    else addresses.add(address);
  }
  return { addresses: addresses.size === 0 ? [bindAddress] : dropCovered(addresses), flaws };
}

/** An unspecified address is bound for all of its family (`::` for both): nothing else can be bound beside it. */
function dropCovered(addresses: ReadonlySet<string>): string[] {
  if (addresses.has("::")) return ["::"];
  if (!addresses.has("0.0.0.0")) return [...addresses];
  return [...addresses].filter((address) => address === "0.0.0.0" || toIpVersion(address) === 6);
}

function toAddressFlaw(path: string, message: string): Flaw {
  return { reason: "UnsupportedAddress", code: "unsupported-value", path, message, hint: "use the type IPAddress" };
}

function findRejectedClass(gatewayClass: WorldObject<"GatewayClass">): Flaw[] {
  if (findClassFlaws(gatewayClass).length === 0) return [];
  const message = `its GatewayClass ${gatewayClass.name} is not accepted`;
  return [{ reason: "Invalid", code: "unsupported-value", path: "spec.gatewayClassName", message }];
}

function findParameterFlaws({ object: { spec } }: WorldObject<"Gateway">): Flaw[] {
  const ref = spec.infrastructure?.parametersRef;
  if (ref === undefined) return [];
  const message = `parameters of kind ${ref.kind} (${ref.group}) are not supported`;
  const path = "spec.infrastructure.parametersRef";
  return [{ reason: "InvalidParameters", code: "unsupported-value", path, message }];
}

/** Fields that have no effect yet and do no harm by it. */
function findRemarks({ object: { spec } }: WorldObject<"Gateway">): Finding[] {
  const remarks: Finding[] = [];
  const ignore = (path: string, message: string): void =>
    void remarks.push({ code: "unsupported-value", path, message });
  if (spec.tls?.backend !== undefined) ignore("spec.tls.backend", "TLS to backends is not supported yet");
  if (spec.defaultScope === "All")
    ignore("spec.defaultScope", "default Gateways are not supported: routes must name this one");
  const listenerSets = spec.allowedListeners?.namespaces.from ?? "None";
  if (listenerSets !== "None") ignore("spec.allowedListeners", "ListenerSets are not supported yet");
  return remarks;
}

function toMissingClass(world: World, { object: { spec } }: WorldObject<"Gateway">): Finding {
  const { hint = "add a GatewayClass that names the controller" } = hintObject(
    spec.gatewayClassName,
    world.list("GatewayClass"),
  );
  return {
    code: "unresolved-reference",
    path: "spec.gatewayClassName",
    message: `there is no GatewayClass ${spec.gatewayClassName}, so nobody serves this Gateway`,
    hint,
  };
}
