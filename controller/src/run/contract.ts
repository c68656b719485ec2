/**
 * The parts of a running controller, and what flows between them:
 *
 *     watched world -> translation -> slices for proxies (publisher) and, in the leader, statuses and objects to provision
 *
 * Facts come back the other way: what proxies said to their configuration, and what could not be provisioned. They are told in
 * the statuses of the next translation.
 */
import type { Snapshot } from "@sallyport/model/snapshot";
import type { ObjectStatus, ProxyObstacle } from "../translate/translator.ts";
import type { IndexedWorld } from "../world/indexed-world.ts";

/** The world of a cluster as it is now, kept up to date. */
export interface WatchedWorld {
  /** Resolves when every kind has been listed once. */
  readonly synced: Promise<void>;
  /** As it is now; the same object as long as nothing changed. */
  readonly world: IndexedWorld;
  /** `listener` is called after changes, once for many of one turn. Returns what stops it. */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}

/** Gives proxies their configuration. */
export interface Publisher {
  /** What each group of proxies should have, by its key; a group that is absent has none, and its proxies keep what they have. */
  publish(slices: ReadonlyMap<string, Snapshot>): void;
}

/** What the proxies of a group made of what they were sent last. */
export interface GroupState {
  /** Proxies that are connected. */
  readonly connected: number;
  /** Those among them that have what they should have. */
  readonly current: number;
  /** Why some could not take it, without repetitions. */
  readonly refusals: readonly string[];
}

/** Writes statuses; for the leader. */
export interface StatusWriter {
  /** What all statuses should be, now. Objects that are not named are left alone, or lose our entries where they have some. */
  write(statuses: readonly ObjectStatus[], world: IndexedWorld): void;
}

/** Makes the Deployments, Services and accounts of proxies; for the leader. */
export interface Provisioner {
  /** Brings what there is closer to what should be: the objects of every group, with the ports that the listeners in its slice have. */
  reconcile(world: IndexedWorld, slices: ReadonlyMap<string, Snapshot>): void;
  /**
   * What is wrong with a group (`namespace/name`, or INGRESS_GROUP): objects that could not be made (NoResources), and pods that do
   * not come up (Pending), which is no obstacle while others serve. Empty: nothing is known to be wrong.
   */
  failuresOf(group: string): readonly ProxyObstacle[];
  /** `listener` is called after `failuresOf` would say something else. Returns what stops it. */
  onFailure(listener: () => void): () => void;
  /** Stops work and watches; what there is stays. */
  close(): Promise<void>;
}
