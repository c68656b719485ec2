/**
 * The contract of translation: pure functions from the world to resources and statuses. No clock, no I/O; reads go through
 * the World they are given and nothing else; bad user input is a Problem and a status condition, never an exception.
 *
 * Problems of translation are warnings, all of them. The APIs say for each thing that cannot be done what happens instead:
 * a share of requests gets 500, a route hangs on fewer listeners, a listener is not bound. An error would keep the whole
 * configuration from being served, so that one team's typing mistake would stop every other team's change. Errors are what
 * stands before translation: files that cannot be read and objects that are none.
 *
 * Resources are written with their properties in a fixed order, whatever the order in the user's objects: deltas compare
 * them as JSON.
 */
import type { HttpServerOptions } from "@sallyport/model/listener";
import type { ObjectRef, Problem } from "@sallyport/model/problem";
import type { Resource, Snapshot } from "@sallyport/model/snapshot";
import type { World } from "../world/world.ts";
import type { NodeFacts } from "./services/endpoint-places.ts";
import type { ServiceTrust } from "./service-trust.ts";
import type { FamilyTraffic } from "./traffic/family.ts";

/** The status one object should have. `status` is the object's `status` field in full, as far as we own it. */
export interface ObjectStatus {
  readonly object: ObjectRef;
  readonly status: unknown;
}

/** What a translator makes of the world. */
export interface Translation {
  readonly resources: readonly Resource[];
  readonly statuses: readonly ObjectStatus[];
  readonly problems: readonly Problem[];
  /** Of families whose routes traffic policies shape. */
  readonly traffic?: FamilyTraffic;
}

/** Process-wide facts translation depends on besides the world. */
export interface TranslateOptions {
  /** Which GatewayClasses are ours. */
  readonly controllerName: string;
  /**
   * Where a listener of an advertised port is bound, e.g. 8080 for 80; undefined where no port can be had for it. No two ports may
   * have the same bound one.
   */
  readonly toBindPort: (port: number) => number | undefined;
  /** Address that listeners bind when their Gateway names none. */
  readonly bindAddress: string;
  /** What listeners have unless an object says otherwise. */
  readonly http: HttpServerOptions;
  /** What Services are believed of where their endpoints are. */
  readonly trust: ServiceTrust;
  /**
   * Absent where one process serves everything (a directory of files): Gateways share its ports by the rules of conflicts. Present
   * in a cluster: every Gateway has proxies and addresses of its own, so that no two of them stand in each other's way.
   */
  readonly proxies?: ProxyFacts;
}

/** What is known of proxies besides what the world holds (their Services and Deployments). */
export interface ProxyFacts {
  /** Why the proxies of a Gateway (`namespace/name`) could not be made, or not take what they were sent; empty: they could. */
  obstaclesOf(gateway: string): readonly ProxyObstacle[];
  /** The Service of the proxies of all Ingresses: where it is reached is where they are. */
  readonly ingressService: { readonly namespace: string; readonly name: string };
  /** Where nodes are; undefined where nobody knows. */
  readonly nodes?: NodeFacts | undefined;
}

/** A reason for the condition Programmed=False of a Gateway. */
export interface ProxyObstacle {
  /** `NoResources`: its objects could not be made; `Invalid`: its proxies refused the configuration; `Pending`: not heard of yet. */
  readonly reason: "NoResources" | "Invalid" | "Pending";
  readonly message: string;
}

/** One family of objects (gateway-api, services, later ingress and istio); blind to the others. */
export type Translate = (world: World, options: TranslateOptions) => Translation;

/** The whole world as one snapshot, with everything to say about it. */
export interface WorldTranslation {
  readonly snapshot: Snapshot;
  /** All groups of proxies (see groups.ts) there should be in a cluster, also those that nothing is served for. */
  readonly groups: readonly string[];
  readonly statuses: readonly ObjectStatus[];
  readonly problems: readonly Problem[];
}
