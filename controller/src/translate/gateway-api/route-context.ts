/** What the parts of a route's translation know of where they are. */
import type { World } from "../../world/world.ts";
import type { BackendUse, ServicePortUse } from "../service-port.ts";
import type { SurroundingLayers, TrafficScope } from "../traffic/scope.ts";
import type { AttachingRoute } from "./attach.ts";

/** The world, the route whose parts are translated, and how its backends are spoken to. */
export interface RouteContext extends BackendUse, ServicePortUse {
  readonly world: World;
  readonly route: AttachingRoute;
  readonly name: string;
  /** Where what comes of traffic policies is collected. */
  readonly scope: TrafficScope;
  /** What traffic policies say at this place, those of Services aside. */
  readonly layers: SurroundingLayers;
}

/** A rule, or a backend of a rule. */
export interface RulePlace {
  /** Path of the rule or backend in the route. */
  readonly path: string;
  /** Whether every match of the rule is by path prefix, so that there is a prefix to replace. */
  readonly hasPrefix: boolean;
}
