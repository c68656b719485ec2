/**
 * What a Gateway of ours and its ListenerSets come to, before routes: which listeners there are, what each may serve and what
 * is wrong with it.
 */
import type { ListenerProtocol, ListenerTls, ProxyProtocolIn, StreamOptions } from "@sallyport/model/listener";
import type { Authorities, CertificateSecret } from "@sallyport/model/secret";
import type { GatewayListener } from "../../kube/generated/types/gateway.ts";
import type { WorldObject } from "../../world/world.ts";
import type { Finding, Flaw } from "../flaw.ts";

/** A kind of route a listener can carry. */
export interface RouteKind {
  readonly group: string;
  readonly kind: string;
}

/** Where a listener is bound. */
export interface ListenerBind {
  /** Key of the listener resource. */
  readonly key: string;
  readonly address: string;
  readonly port: number;
}

/** The object a listener is written in. */
export type ListenerOwner = WorldObject<"Gateway"> | WorldObject<"ListenerSet">;

/** What the TLS of a listener comes to, its certificates aside. */
export type TlsSettings = Omit<ListenerTls, "certificates">;

/** One listener, judged by itself. */
export interface ListenerDraft {
  readonly owner: ListenerOwner;
  readonly spec: GatewayListener;
  /** `spec.listeners[0]`, in its owner. */
  readonly path: string;
  /** Undefined where we do not serve the protocol. */
  readonly protocol: ListenerProtocol | undefined;
  /** Undefined for all hosts, and where the protocol knows none. */
  readonly hostname: string | undefined;
  /** Kinds of routes it carries. */
  readonly kinds: readonly RouteKind[];
  /** Where it terminates TLS. */
  readonly tls: TlsSettings | undefined;
  readonly certificates: readonly CertificateSecret[];
  /** Whom it trusts to vouch for clients. */
  readonly authorities: readonly Authorities[];
  /** Why it is not accepted. */
  readonly flaws: readonly Flaw[];
  /** References that lead nowhere. */
  readonly unresolved: readonly Flaw[];
  /** What is worth telling and changes nothing. */
  readonly remarks: readonly Finding[];
  readonly binds: readonly ListenerBind[];
}

/** What a Gateway says about all its listeners. */
export interface ListenerSettings {
  readonly proxyProtocol?: ProxyProtocolIn;
  /** Of TCP and TLS listeners, what it says itself. */
  readonly stream?: Partial<StreamOptions>;
  /** Of UDP listeners. */
  readonly datagram?: StreamOptions;
}

/** A ListenerSet that names a Gateway of ours, judged by itself. */
export interface ListenerSetDraft {
  readonly set: WorldObject<"ListenerSet">;
  /** Why nothing of it is served. */
  readonly flaws: readonly Flaw[];
  readonly listeners: readonly ListenerDraft[];
}

/**
 * The certificate shown to backends that ask for one. `broken`: the user wants one shown and it cannot be had, so that
 * backends must not be called over TLS.
 */
export type BackendCertificate = CertificateSecret | "broken" | undefined;

/** Where a Gateway can be reached. */
export interface GatewayAddresses {
  /** What its listeners bind. */
  readonly binds: readonly string[];
  /** As its status says. */
  readonly given: readonly { readonly type: string; readonly value: string }[];
  /** Addresses it cannot be asked for. */
  readonly flaws: readonly Flaw[];
  /** Addresses it was to have and has not got, as a rule for a while. */
  readonly missing: readonly Flaw[];
}

/** One Gateway, judged by itself. */
export interface GatewayDraft {
  readonly gateway: WorldObject<"Gateway">;
  /** Why nothing of it is served. */
  readonly flaws: readonly Flaw[];
  /** References that lead nowhere, those of listeners aside. */
  readonly unresolved: readonly Flaw[];
  readonly remarks: readonly Finding[];
  readonly settings: ListenerSettings;
  readonly addresses: GatewayAddresses;
  readonly backendCertificate: BackendCertificate;
  /** Its own. */
  readonly listeners: readonly ListenerDraft[];
  /** In order of precedence: older ones first, then by namespace and name. */
  readonly sets: readonly ListenerSetDraft[];
}

/** One listener, judged among all others. */
export interface ListenerPlan extends ListenerDraft {
  /** Why it cannot share its port. */
  readonly conflict: Flaw | undefined;
  /** Other listeners whose requests a client could send on a connection to this one. */
  readonly overlaps: readonly ListenerDraft[];
  /** Whether it takes traffic. */
  readonly served: boolean;
}

/** A ListenerSet, judged among all others. */
export interface ListenerSetPlan extends ListenerSetDraft {
  readonly listeners: readonly ListenerPlan[];
}

/** One Gateway, judged among all others. */
export interface GatewayPlan extends GatewayDraft {
  readonly listeners: readonly ListenerPlan[];
  readonly sets: readonly ListenerSetPlan[];
}

/** What a route can hang on. Routes of a Gateway do not reach the listeners of its ListenerSets, nor the other way round. */
export type RouteParent = GatewayPlan | ListenerSetPlan;

/** The object a route's parent is. */
export function toParentObject(parent: RouteParent): ListenerOwner {
  return "set" in parent ? parent.set : parent.gateway;
}

/** Kind, namespace and name of a listener's owner, for people. */
export function tellOwner({ kind, namespace, name }: ListenerOwner): string {
  return `${kind} ${namespace}/${name}`;
}

/** Whether the listener itself, whatever becomes of its owner, is one to serve. */
export function isAccepted({ flaws, conflict }: ListenerPlan): boolean {
  return flaws.length === 0 && conflict === undefined;
}
