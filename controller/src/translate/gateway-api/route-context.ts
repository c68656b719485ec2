/** What the parts of a route's translation know of where they are. */
import type { World } from "../../world/world.ts";
import type { AttachingRoute } from "./attach.ts";

/** The world, and the route whose parts are translated. */
export interface RouteContext {
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
