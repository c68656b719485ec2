/**
 * Types of conditions that we ever write, by place. One of them that is not wanted any more goes; any other type is somebody
 * else's and stays.
 */

/** On Gateways. */
export const GATEWAY_CONDITIONS: ReadonlySet<string> = new Set([
  "Accepted",
  "Programmed",
  "ResolvedRefs",
  "InsecureFrontendValidationMode",
]);

/** On listeners of Gateways and ListenerSets. */
export const LISTENER_CONDITIONS: ReadonlySet<string> = new Set([
  "Accepted",
  "Programmed",
  "ResolvedRefs",
  "Conflicted",
  "OverlappingTLSConfig",
]);

/** On ListenerSets. */
export const LISTENER_SET_CONDITIONS: ReadonlySet<string> = new Set(["Accepted", "Programmed"]);

/** On classes and what else has nothing but to be accepted. */
export const CLASS_CONDITIONS: ReadonlySet<string> = new Set(["Accepted"]);

/** In our entries of routes. */
export const PARENT_CONDITIONS: ReadonlySet<string> = new Set(["Accepted", "ResolvedRefs", "PartiallyInvalid"]);

/** In our entries of policies. */
export const ANCESTOR_CONDITIONS: ReadonlySet<string> = new Set(["Accepted", "ResolvedRefs", "Overridden"]);
