/** What the parts of a route's translation know of where they are. */
import type { World } from "../../world/world.ts";
import type { AttachingRoute } from "./attach.ts";

/**
 * What a route sends to its backends. `stream` are the bytes of a connection, `passthrough` those of one that the client
 * encrypted for the backend, to which nothing may be added.
 */
export type Traffic = "http" | "grpc" | "stream" | "passthrough" | "datagram";

/** How backends are spoken to. Places where a route hangs that differ in it need translations of their own. */
export interface BackendUse {
  readonly traffic: Traffic;
  /** Key of the certificate shown to backends that ask for one: that of the Gateway. */
  readonly clientCertificate?: string;
}

/** The world, the route whose parts are translated, and how its backends are spoken to. */
export interface RouteContext extends BackendUse {
  readonly world: World;
  readonly route: AttachingRoute;
}

/** A rule, or a backend of a rule. */
export interface RulePlace {
  /** Path of the rule or backend in the route. */
  readonly path: string;
  /** Whether every match of the rule is by path prefix, so that there is a prefix to replace. */
  readonly hasPrefix: boolean;
}
