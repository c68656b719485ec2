/** What clusters tell of themselves to people. */
import type { Cluster } from "@sallyport/model/cluster";
import type { LimitName } from "../../observe/contract.ts";
import type { EndpointState } from "../contract.ts";

/** `over`: how many requests met the limit in this worker, and for how long. */
export type LimitState =
  | { readonly kind: "reached"; readonly most: number }
  | { readonly kind: "over"; readonly overflows: number; readonly milliseconds: number };

/** A limit of a cluster as the admin API shows it; counts are those of all workers. */
export interface LimitSummary {
  readonly now: number;
  /** Undefined: there is no limit. */
  readonly most: number | undefined;
  /** A request met it within the last seconds. */
  readonly isReached: boolean;
}

/** One endpoint as the admin API shows it. */
export interface EndpointSummary {
  readonly label: string;
  readonly weight: number;
  /** Less than `weight`, while it warms up (slow start). */
  readonly warmWeight?: number;
  /** Why it is left out; `fit`: it is not. */
  readonly health: EndpointState;
  /** Milliseconds until it is back; absent: it is not ejected. */
  readonly ejectedFor?: number;
  /** `removed`: gone from the configuration, requests still on it. */
  readonly state: "ready" | "draining" | "removed";
  /** Requests of all workers; everything else of this one. */
  readonly active: number;
  readonly connections: number;
  /** Of these: without a request; only finishing what they have. */
  readonly idle: number;
  readonly draining: number;
  /** Requests on them, those included that wait for their handshake. */
  readonly streams: number;
}

/** One cluster as the admin API shows it. */
export interface ClusterSummary {
  readonly key: string;
  readonly protocol: Cluster["protocol"];
  readonly balancer: Cluster["balancer"]["kind"];
  /** Connections and waiting requests of this worker. */
  readonly connections: number;
  readonly pending: number;
  readonly limits: Readonly<Record<LimitName, LimitSummary>> & { readonly connectionsPerEndpoint: number | undefined };
  readonly endpoints: readonly EndpointSummary[];
}
