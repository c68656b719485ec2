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
}

/** Process-wide facts translation depends on besides the world. */
export interface TranslateOptions {
  /** Which GatewayClasses are ours. */
  readonly controllerName: string;
  /** Advertised port -> bound port, e.g. 80 -> 8080; ports not named are bound as they are. */
  readonly portMap: ReadonlyMap<number, number>;
  /** Address that listeners bind when their Gateway names none. */
  readonly bindAddress: string;
  /** What listeners have unless an object says otherwise. */
  readonly http: HttpServerOptions;
}

/** One family of objects (gateway-api, services, later ingress and istio); blind to the others. */
export type Translate = (world: World, options: TranslateOptions) => Translation;

/** The whole world as one snapshot, with everything to say about it. */
export interface WorldTranslation {
  readonly snapshot: Snapshot;
  readonly statuses: readonly ObjectStatus[];
  readonly problems: readonly Problem[];
}
