/**
 * What traffic policies come to in the terms of the data plane. Each field of a policy says something of rules, of clusters or of both,
 * and it is fields that policies win or lose by.
 */
import type { Cluster, Discovery } from "@sallyport/model/cluster";
import type {
  CompressionPolicy,
  FaultPolicy,
  RequestBodyPolicy,
  ResponseOverridePolicy,
} from "@sallyport/model/policy";
import type { Page } from "@sallyport/model/page";
import type { HttpRule } from "@sallyport/model/route";
import type { RetryPolicy } from "@sallyport/model/retry";
import type { SessionPersistence } from "@sallyport/model/session";
import type { BackendTrafficPolicySpec } from "../../kube/generated/types/backend-traffic-policy.ts";
import type { XBackendTrafficPolicySpec } from "../../kube/generated/types/x-backend-traffic-policy.ts";
import type { Flaw } from "../flaw.ts";

/** Where a client keeps its session; a name that is left out is made from the rule. */
export interface SessionSettings extends Omit<SessionPersistence, "carrier"> {
  readonly carrier:
    | { readonly kind: "cookie"; readonly name: string | undefined; readonly lifetime: "session" | "permanent" }
    | { readonly kind: "header"; readonly name: string | undefined };
}

/** What is said of requests. Milliseconds; 0 is no limit. */
export interface RuleTraffic {
  readonly requestTimeout?: number;
  readonly backendTimeout?: number;
  /** Goes before `backendTimeout`. */
  readonly tryTimeout?: number;
  readonly streamIdleTimeout?: number;
  readonly maxDuration?: number;
  readonly retry?: RetryPolicy;
  readonly session?: SessionSettings;
  readonly contents?: readonly ContentPolicy[];
}

/** What is done to requests and answers. */
export type ContentPolicy = FaultPolicy | CompressionPolicy | ResponseOverridePolicy | RequestBodyPolicy;

/** What is said of the endpoints of a backend and of connections to them; what is absent is as clusters have it. */
export interface ClusterTraffic extends Partial<
  Pick<
    Cluster,
    | "balancer"
    | "locality"
    | "outlierDetection"
    | "healthCheck"
    | "panicThreshold"
    | "connectTimeout"
    | "http2"
    | "retryBudget"
    | "proxyProtocol"
  >
> {
  readonly limits?: Partial<Cluster["limits"]>;
  readonly pool?: Partial<Cluster["pool"]>;
  readonly dns?: Pick<Extract<Discovery, { kind: "dns" }>, "family" | "refresh">;
}

/** What one field of a policy says. */
export interface FieldSettings {
  readonly rule?: RuleTraffic;
  readonly cluster?: ClusterTraffic;
  /** That rules answer with. */
  readonly pages?: readonly Page[];
}

/** Names of the fields by which traffic policies win or lose. */
export type TrafficField = Exclude<keyof (BackendTrafficPolicySpec & XBackendTrafficPolicySpec), "targetRefs">;

/** The fields of a policy that say something. */
export type TrafficFields = { readonly [F in TrafficField]?: FieldSettings | undefined };

/** A policy, judged by itself. */
export interface JudgedTraffic {
  readonly fields: TrafficFields;
  /** Of all its fields. */
  readonly pages: readonly Page[];
  /** Values that cannot be used; `fields` are without them. */
  readonly flaws: readonly Flaw[];
}

/** The parts of a rule that policies may say. */
export type RuleExtras = Pick<
  HttpRule,
  "requestTimeout" | "backendTimeout" | "retry" | "streamIdleTimeout" | "maxDuration" | "session"
>;
