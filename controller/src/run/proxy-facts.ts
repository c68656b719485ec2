/**
 * What is known of the proxies of Gateways, for their statuses: what could not be made, what proxies refused, and whether there
 * is any that is ready. Proxies may be connected to another replica than this one, so that readiness is read from the
 * EndpointSlices of their Services.
 */
import { toServiceName } from "../translate/proxy-names.ts";
import type { NodeFacts } from "../translate/services/endpoint-places.ts";
import { slicesOf } from "../translate/services/slice-index.ts";
import type { ProxyFacts, ProxyObstacle } from "../translate/translator.ts";
import type { IndexedWorld } from "../world/indexed-world.ts";
import type { World, WorldObject } from "../world/world.ts";
import type { GroupState } from "./contract.ts";

/** Where facts come from. */
export interface FactSources {
  /** What the proxies of a group that are connected here made of their configuration. */
  groupState(group: string): GroupState;
  /** What the provisioner could not make, and what does not come up; nothing where this replica does not lead. */
  failuresOf(group: string): readonly ProxyObstacle[];
  readonly ingressService: ProxyFacts["ingressService"];
  /** Where nodes are now. */
  nodes(): NodeFacts | undefined;
}

/** Facts as one translation was told them: it can be asked later whether it would be told the same. */
export class ToldFacts implements ProxyFacts {
  readonly ingressService: ProxyFacts["ingressService"];
  readonly #sources: FactSources;
  readonly #world: IndexedWorld;
  readonly #told = new Map<string, readonly ProxyObstacle[]>();
  readonly #nodes: NodeFacts | undefined;
  /** Most clusters have no policy that asks for places, and nodes come and go all the time. */
  #hasToldNodes = false;

  constructor(sources: FactSources, world: IndexedWorld) {
    this.ingressService = sources.ingressService;
    this.#sources = sources;
    this.#world = world;
    this.#nodes = sources.nodes();
  }

  /** See ProxyFacts. */
  get nodes(): NodeFacts | undefined {
    this.#hasToldNodes = true;
    return this.#nodes;
  }

  /** See ProxyFacts. */
  obstaclesOf(gateway: string): readonly ProxyObstacle[] {
    const known = this.#told.get(gateway);
    if (known !== undefined) return known;
    const found = findObstacles(this.#sources, this.#world, gateway);
    this.#told.set(gateway, found);
    return found;
  }

  /** Whether something else would be told now, of the same world. */
  isStale(): boolean {
    if (this.#hasToldNodes && this.#nodes !== this.#sources.nodes()) return true;
    return [...this.#told].some(([gateway, told]) => !isSame(told, findObstacles(this.#sources, this.#world, gateway)));
  }
}

/** Refusals that are told in a status; all of them are in the log. */
const MOST_REFUSALS = 3;

function findObstacles(sources: FactSources, world: IndexedWorld, group: string): readonly ProxyObstacle[] {
  const failures = sources.failuresOf(group);
  const obstacles = failures.filter(({ reason }) => reason !== "Pending");
  const { connected, refusals } = sources.groupState(group);
  if (refusals.length > 0) obstacles.push({ reason: "Invalid", message: tellRefusals(refusals) });
  else if (!isReady(world, group)) {
    const stalls = failures.filter(({ reason }) => reason === "Pending");
    const messages = [tellPending(connected), ...stalls.map(({ message }) => message)];
    obstacles.push({ reason: "Pending", message: messages.join("; ") });
  }
  return obstacles;
}

function tellRefusals(refusals: readonly string[]): string {
  const rest = refusals.length - MOST_REFUSALS;
  const told = refusals.slice(0, MOST_REFUSALS).join("; ");
  return `proxies refuse the configuration and keep what they had: ${told}${rest > 0 ? `; and ${rest} more` : ""}`;
}

function tellPending(connected: number): string {
  return connected === 0
    ? "no proxy is ready yet, and none is connected"
    : `no proxy is ready yet; ${connected} connected, getting their configuration`;
}

function isReady(world: IndexedWorld, group: string): boolean {
  const [namespace = "", name = ""] = group.split("/", 2);
  const gateway = world.get("Gateway", namespace, name);
  if (gateway === undefined) return false;
  return serviceNamesOf(gateway).some((service) => hasReady(world, namespace, service));
}

/** There is a Service for each address that is asked for. */
function serviceNamesOf(gateway: WorldObject<"Gateway">): readonly string[] {
  const { gatewayClassName, addresses = [] } = gateway.object.spec;
  const values = new Set(addresses.length === 0 ? [""] : addresses.map(({ value = "" }) => value));
  return [...values].map((value) => toServiceName(gateway, gatewayClassName, value));
}

/** Whether a Service has an endpoint that is ready. Absent means ready (discovery.k8s.io/v1 EndpointConditions). */
function hasReady(world: World, namespace: string, name: string): boolean {
  return slicesOf(world, { namespace, name }).some(({ endpoints = [] }) =>
    endpoints.some(({ conditions }) => conditions?.ready !== false),
  );
}

function isSame(one: readonly ProxyObstacle[], other: readonly ProxyObstacle[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
