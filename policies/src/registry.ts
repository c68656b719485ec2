/** Every kind of policy with its compile function; a new kind fails to compile here until it has one. */
import type { Policy, PolicyKind } from "@sallyport/model/policy";
import { compileCompression } from "./compression.ts";
import { compileCors } from "./cors.ts";
import { compileFault } from "./fault.ts";
import type { Capabilities, Filter, PolicyRegistry } from "./filter.ts";
import { compileRequestHeaders, compileResponseHeaders } from "./headers.ts";
import { compileMirror } from "./mirror.ts";
import { compileRedirect } from "./redirect.ts";
import { compileRequestBody } from "./request-body.ts";
import { compileResponseOverride } from "./response-override.ts";
import { compileRewrite } from "./rewrite.ts";

/** Compile functions by kind. */
export const POLICIES = {
  "request-headers": compileRequestHeaders,
  "response-headers": compileResponseHeaders,
  cors: compileCors,
  redirect: compileRedirect,
  rewrite: compileRewrite,
  mirror: compileMirror,
  fault: compileFault,
  compression: compileCompression,
  "response-override": compileResponseOverride,
  "request-body": compileRequestBody,
} as const satisfies PolicyRegistry;

/** Compiles one policy of any kind. */
export function compilePolicy(policy: Policy, capabilities: Capabilities): Filter {
  return compileKind(policy.kind, policy, capabilities);
}

/** The kind as a type parameter ties the policy to its compile function. */
function compileKind<K extends PolicyKind>(
  kind: K,
  policy: Extract<Policy, { kind: K }>,
  capabilities: Capabilities,
): Filter {
  const registry: PolicyRegistry = POLICIES;
  return registry[kind](policy, capabilities);
}
