/** What there should be for each group of proxies in a world. Pure. */
import { INGRESS_GROUP } from "@sallyport/model/distribution";
import type { Snapshot } from "@sallyport/model/snapshot";
import { INGRESS_PROXY } from "../distribute/group-access.ts";
import { resolveParameters, type ParametersSpec } from "../translate/gateway-api/gateway-parameters.ts";
import { isOurs } from "../translate/ingress/classes.ts";
import { GATEWAY_NAME_LABEL, toGatewayLabel, toProxyName, toServiceName } from "../translate/proxy-names.ts";
import type { Kind, World, WorldObject } from "../world/world.ts";
import { toCaName, toDeployment, type ProxyFacts } from "./deployment.ts";
import { toManifest, type ProxyIdentity } from "./identity.ts";
import type { Manifest, OwnerReference } from "./manifest.ts";
import { mergeParameters } from "./parameters.ts";
import { findServedPorts, type ServedPort } from "./ports.ts";
import { toAutoscaler, toDisruptionBudget } from "./scaling.ts";
import { toService, type WantedService } from "./service.ts";

/** Facts that every plan depends on besides the world. */
export interface PlanFacts extends ProxyFacts {
  /** Where the proxies of Ingresses are. */
  readonly namespace: string;
  /** Certificate of the controller's authority, PEM. */
  readonly caCertificate: string;
  /** Whose parameters may say what code runs: those of Gateways as well, or those of classes alone. */
  readonly codeFrom: "gateways" | "classes";
}

/** What there should be for one owner (a Gateway, or all IngressClasses of ours). */
export interface ProxyPlan {
  readonly group: string;
  /** Uids of the owners; what is managed by us and theirs, and is not among `manifests`, is no longer wanted. */
  readonly owners: ReadonlySet<string>;
  readonly manifests: readonly Manifest[];
  /**
   * `whole`: these objects and no others. `standing`: nothing can be served now, so that what exists is kept up to date and nothing
   * is made or deleted: a user's slip must not lose an address. `untouched`: it cannot be told what there should be.
   */
  readonly extent: "whole" | "standing" | "untouched";
  /** Why it is untouched, where the owner has to do something about it that no other place tells. */
  readonly obstacle?: string;
}

/** Label of the GatewayClass's name (GEP-1762). */
const CLASS_LABEL = "gateway.networking.k8s.io/gateway-class-name";

/** The plan of every Gateway that is or may have been ours, and of Ingresses. */
export function planProxies(world: World, slices: ReadonlyMap<string, Snapshot>, facts: PlanFacts): ProxyPlan[] {
  const plans = world.list("Gateway").flatMap((gateway) => planGateway(world, gateway, { slices, facts }));
  return [...plans, ...planIngresses(world, slices, facts)];
}

interface Context {
  readonly slices: ReadonlyMap<string, Snapshot>;
  readonly facts: PlanFacts;
}

function planGateway(world: World, gateway: WorldObject<"Gateway">, { slices, facts }: Context): ProxyPlan[] {
  const owner = toOwner(gateway);
  if (owner === undefined) return [];
  const group = `${gateway.namespace}/${gateway.name}`;
  const nothing: ProxyPlan = { group, owners: new Set([owner.uid]), manifests: [], extent: "untouched" };
  const gatewayClass = world.get("GatewayClass", "", gateway.object.spec.gatewayClassName);
  // The deletion of a class may be a slip, and what a Gateway leaves behind is the garbage collector's.
  if (gatewayClass === undefined || isEnding(gateway) || isNamespaceEnding(world, gateway.namespace)) return [nothing];
  if (gatewayClass.object.spec.controllerName !== facts.controllerName) return [{ ...nothing, extent: "whole" }];
  const parameters = resolveParameters(world, gateway, gatewayClass);
  if (parameters === undefined) return [nothing];
  const { ofClass, ofGateway } = parameters;
  const obstacle = facts.codeFrom === "classes" ? findForeignCode(ofGateway) : undefined;
  if (obstacle !== undefined) return [{ ...nothing, obstacle }];
  const ports = findServedPorts(slices.get(group));
  const inputs = [ofClass, ofGateway, facts.caCertificate, ports.map(({ name }) => name).join(" ")];
  const make = (): ProxyPlan => ({
    ...nothing,
    ...makeManifests(toGatewayIdentity(gateway, owner), toWantedServices(gateway), {
      parameters: mergeParameters(ofClass, ofGateway),
      ports,
      facts,
    }),
  });
  return [remember(gateway, inputs, make)];
}

function isEnding({ object }: WorldObject<Kind>): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

/** Nothing can be made in such a namespace, and what is there is deleted object by object. */
function isNamespaceEnding(world: World, name: string): boolean {
  const namespace = world.get("Namespace", "", name);
  return namespace !== undefined && isEnding(namespace);
}

/** Fields by which pods run other code than ours, or ours in another way. */
const CODE_FIELDS = ["image", "imagePullSecrets", "env"] as const;

/** Pods hold the keys of their Gateway: who says what runs in them can read these, and whatever Secret `env` may name. */
function findForeignCode(ofGateway: ParametersSpec | undefined): string | undefined {
  const found = CODE_FIELDS.filter((name) => ofGateway?.deployment?.[name] !== undefined);
  if (found.length === 0) return undefined;
  return (
    `the GatewayParameters of the Gateway set spec.deployment.${found.join(", ")}, which only those of its GatewayClass ` +
    "may here (--proxy-code classes): remove that, and the proxies follow again"
  );
}

/** The plan of a Gateway from before, if it was made of the same: there is a new world for every endpoint that comes or goes. */
function remember(gateway: WorldObject<"Gateway">, inputs: readonly unknown[], make: () => ProxyPlan): ProxyPlan {
  const known = memory.get(gateway);
  if (known?.inputs.every((input, index) => input === inputs[index]) === true) return known.plan;
  const plan = make();
  memory.set(gateway, { inputs, plan });
  return plan;
}

const memory = new WeakMap<WorldObject<"Gateway">, { readonly inputs: readonly unknown[]; readonly plan: ProxyPlan }>();

function toGatewayIdentity(gateway: WorldObject<"Gateway">, owner: OwnerReference): ProxyIdentity {
  const { gatewayClassName, infrastructure } = gateway.object.spec;
  return {
    group: `${gateway.namespace}/${gateway.name}`,
    name: toProxyName(gateway, gatewayClassName),
    namespace: gateway.namespace,
    owners: [owner],
    groupLabels: {
      [GATEWAY_NAME_LABEL]: toGatewayLabel(gateway),
      [CLASS_LABEL]: toGatewayLabel({ name: gatewayClassName }),
    },
    labels: infrastructure?.labels ?? {},
    annotations: infrastructure?.annotations ?? {},
  };
}

/** One for every address that is asked for; without a value it asks for any. */
function toWantedServices(gateway: WorldObject<"Gateway">): readonly WantedService[] {
  const { addresses = [], gatewayClassName } = gateway.object.spec;
  const values = addresses.flatMap(({ type, value = "" }) => (type === "IPAddress" ? [value] : []));
  return [...new Set(values.length === 0 ? [""] : values)].map((address) => ({
    name: toServiceName(gateway, gatewayClassName, address),
    address,
  }));
}

function planIngresses(world: World, slices: ReadonlyMap<string, Snapshot>, facts: PlanFacts): ProxyPlan[] {
  const classes = world.list("IngressClass").filter(isOurs);
  const living = classes.filter((each) => !isEnding(each));
  const [first, ...others] = living.flatMap((each) => toOwner(each) ?? []);
  if (first === undefined) return [];
  if (isNamespaceEnding(world, facts.namespace)) return [];
  const identity: ProxyIdentity = {
    group: INGRESS_GROUP,
    name: INGRESS_PROXY,
    namespace: facts.namespace,
    // All of them: the proxies must outlive any class but the last. An object has one controller.
    owners: [first, ...others.map((owner) => ({ ...owner, controller: false }))],
    groupLabels: {},
    labels: {},
    annotations: {},
  };
  const services = [{ name: INGRESS_PROXY, address: "" }];
  const ports = findServedPorts(slices.get(INGRESS_GROUP));
  const made = makeManifests(identity, services, { parameters: {}, ports, facts });
  return [{ group: INGRESS_GROUP, owners: new Set(identity.owners.map(({ uid }) => uid)), ...made }];
}

function makeManifests(
  identity: ProxyIdentity,
  services: readonly WantedService[],
  context: { readonly parameters: ParametersSpec; readonly ports: readonly ServedPort[]; readonly facts: PlanFacts },
): Pick<ProxyPlan, "manifests" | "extent"> {
  const { parameters, ports, facts } = context;
  const { controllerName } = facts;
  const scaler = toAutoscaler(identity, parameters, controllerName);
  const budget = toDisruptionBudget(identity, parameters, controllerName);
  const data = { "ca.crt": facts.caCertificate };
  const manifests = [
    toManifest("ServiceAccount", identity, { automountServiceAccountToken: false }, { controllerName }),
    toManifest("ConfigMap", identity, { data }, { name: toCaName(identity), controllerName }),
    // A Service without ports is none.
    ...(ports.length === 0
      ? []
      : services.map((service) => toService(identity, service, ports, { parameters, controllerName }))),
    toDeployment(identity, parameters, facts),
    ...(scaler === undefined ? [] : [scaler]),
    ...(budget === undefined ? [] : [budget]),
  ];
  return { manifests, extent: ports.length === 0 ? "standing" : "whole" };
}

/** The reference to an object as owner; undefined for one without a uid, which is from a file. */
function toOwner(subject: WorldObject<Kind>): OwnerReference | undefined {
  const { apiVersion, kind, metadata } = subject.object;
  if (metadata.uid === undefined) return undefined;
  return { apiVersion, kind, name: subject.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
}
