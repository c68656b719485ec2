/** What a Gateway of ours comes to, before routes: which listeners it has, what each may serve and what is wrong with it. */
import type { ListenerProtocol, ListenerTls } from "@sallyport/model/listener";
import type { CertificateSecret } from "@sallyport/model/secret";
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

/** One listener, judged by itself. */
export interface ListenerDraft {
  readonly spec: GatewayListener;
  /** `spec.listeners[0]`. */
  readonly path: string;
  /** Undefined where we do not serve the protocol. */
  readonly protocol: ListenerProtocol | undefined;
  /** Undefined for all hosts, and where the protocol knows none. */
  readonly hostname: string | undefined;
  /** Kinds of routes it carries. */
  readonly kinds: readonly RouteKind[];
  /** Where it terminates TLS. */
  readonly tls: Omit<ListenerTls, "certificates"> | undefined;
  readonly certificates: readonly CertificateSecret[];
  /** Why it is not accepted. */
  readonly flaws: readonly Flaw[];
  /** References that lead nowhere. */
  readonly unresolved: readonly Flaw[];
  /** What is worth telling and changes nothing. */
  readonly remarks: readonly Finding[];
  readonly binds: readonly ListenerBind[];
}

/** One Gateway, judged by itself. */
export interface GatewayDraft {
  readonly gateway: WorldObject<"Gateway">;
  /** Why nothing of it is served. */
  readonly flaws: readonly Flaw[];
  readonly remarks: readonly Finding[];
  readonly listeners: readonly ListenerDraft[];
}

/** One listener, judged among all others. */
export interface ListenerPlan extends ListenerDraft {
  /** Why it cannot share its port. */
  readonly conflict: Flaw | undefined;
  /** Names of other listeners whose certificates a client could be shown on a reused connection. */
  readonly overlaps: readonly string[];
  /** Whether it takes traffic. */
  readonly served: boolean;
}

/** One Gateway, judged among all others. */
export interface GatewayPlan extends GatewayDraft {
  readonly listeners: readonly ListenerPlan[];
}
