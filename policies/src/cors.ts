/**
 * Cross-origin resource sharing (Fetch standard, "CORS protocol"; Gateway API HTTPCORSFilter). Preflights are answered
 * here and never reach the upstream; actual requests go on and their responses, local ones too, get the fields. The policy
 * has the last word: what the upstream says about origins and credentials is replaced or removed.
 */
import type { CorsPolicy } from "@sallyport/model/policy";
import type { Filter, HeaderView, LocalReply, RequestView } from "./filter.ts";
import { compileOrigins } from "./origin.ts";

/** Compiles the policy. */
export function compileCors(policy: CorsPolicy): Filter {
  const matches = compileOrigins(policy.allowOrigins);
  const share = compileShareFields(policy);
  const preflight = compilePreflight(policy);
  const varies = !isPublic(policy);
  return {
    deterministic: true,
    onRequest(request) {
      if (request.method !== "OPTIONS") return undefined;
      const origin = request.header("origin");
      const method = request.header("access-control-request-method");
      if (origin === undefined || method === undefined) return undefined;
      return matches(origin) ? preflight(request, origin, method) : REFUSED;
    },
    onResponse(response, request) {
      if (varies) addVaryOrigin(response);
      const origin = request.header("origin");
      if (origin === undefined) return;
      if (matches(origin)) {
        for (const [name, value] of share(origin)) response.setHeader(name, value);
        if (!policy.allowCredentials) response.removeHeader("access-control-allow-credentials");
      } else {
        response.removeHeader("access-control-allow-origin");
        response.removeHeader("access-control-allow-credentials");
      }
    },
  };
}

type Field = readonly [name: string, value: string];

/** A preflight of an origin that is not allowed: an answer that shares nothing, which the browser takes for a no. */
const REFUSED: LocalReply = { status: 204, headers: [["vary", "Origin"]], body: "", flag: "-" };

/** Everybody may read the response, so that it is the same for every origin. */
function isPublic(policy: CorsPolicy): boolean {
  return policy.allowOrigins.includes("*") && !policy.allowCredentials;
}

/** The fields of every response to an allowed origin. `*` is not valid together with credentials (Fetch, 3.3.5). */
function compileShareFields(policy: CorsPolicy): (origin: string) => readonly Field[] {
  const fields: Field[] = [];
  if (policy.allowCredentials) fields.push(["access-control-allow-credentials", "true"]);
  const exposed = policy.exposeHeaders.filter((name) => name !== "*" || !policy.allowCredentials);
  if (exposed.length > 0) fields.push(["access-control-expose-headers", exposed.join(", ")]);
  if (isPublic(policy)) {
    const constant: readonly Field[] = [["access-control-allow-origin", "*"], ...fields];
    return () => constant;
  }
  return (origin) => [["access-control-allow-origin", origin], ...fields];
}

function compilePreflight(policy: CorsPolicy): (request: RequestView, origin: string, method: string) => LocalReply {
  const share = compileShareFields(policy);
  const anyMethod = policy.allowMethods.includes("*");
  const anyHeader = policy.allowHeaders.includes("*");
  const methods = policy.allowMethods.join(", ");
  const names = policy.allowHeaders.join(", ");
  const vary: string[] = isPublic(policy) ? [] : ["Origin"];
  if (anyMethod) vary.push("Access-Control-Request-Method");
  if (anyHeader) vary.push("Access-Control-Request-Headers");
  const rest: Field[] = [];
  if (policy.maxAgeSeconds >= 0) rest.push(["access-control-max-age", String(policy.maxAgeSeconds)]);
  if (vary.length > 0) rest.push(["vary", vary.join(", ")]);
  return (request, origin, method) => {
    const headers = [...share(origin)];
    // A wildcard is answered with what was asked: `*` would not count with credentials, nor cover Authorization.
    pushList(headers, "access-control-allow-methods", anyMethod ? method : methods);
    const asked = anyHeader ? (request.header("access-control-request-headers") ?? "") : names;
    pushList(headers, "access-control-allow-headers", asked);
    headers.push(...rest);
    return { status: 204, headers, body: "", flag: "-" };
  };
}

/** A list of tokens (RFC 9110 section 5.6.2); what a client sent is echoed only if it is one. */
const TOKENS = /^[\w!#$%&'*+.^`|~-]+(?:[ \t]*,[ \t]*[\w!#$%&'*+.^`|~-]+)*$/;

function pushList(headers: Field[], name: string, list: string): void {
  if (TOKENS.test(list)) headers.push([name, list]);
}

/** A shared cache must not give one origin's answer to another (Fetch, 3.3.7), whatever else the answer varies by. */
function addVaryOrigin(response: HeaderView): void {
  const vary = response.header("vary");
  if (vary === undefined || !/(?:^|,)[ \t]*(?:origin|\*)[ \t]*(?:,|$)/i.test(vary)) {
    response.addHeader("vary", "Origin");
  }
}
