/** Redirects (Gateway API HTTPRequestRedirectFilter): the answer is a Location, the request goes nowhere. */
import type { RedirectPolicy } from "@sallyport/model/policy";
import type { Filter, RequestView } from "./filter.ts";
import { compilePathEdit } from "./path-edit.ts";

/** Answers every request with an absolute Location; a request without a host gets a relative one. */
export function compileRedirect(policy: RedirectPolicy): Filter {
  const toPath = compileLocationPath(policy);
  const toPort = compilePort(policy);
  const { status, hostname, scheme } = policy;
  return {
    deterministic: true,
    onRequest(request) {
      const path = toPath(request);
      const host = hostname ?? toHost(request.authority);
      const newScheme = scheme ?? request.scheme;
      const location = host === "" ? path : `${newScheme}://${host}${toPortText(newScheme, toPort(request))}${path}`;
      return { status, headers: [["location", location]], body: "", flag: "-" };
    },
  };
}

function compileLocationPath(policy: RedirectPolicy): (request: RequestView) => string {
  if (policy.path === undefined) return (request) => toPathOnly(request.path);
  const edit = compilePathEdit(policy.path);
  return (request) => edit(toPathOnly(request.path), request.matchedPrefix);
}

/** `OPTIONS *` has no path. */
function toPathOnly(path: string): string {
  return path === "*" ? "/" : path;
}

/** The port given; else that of the scheme, if a scheme is given; else the listener's (Gateway API, `port`). */
function compilePort(policy: RedirectPolicy): (request: RequestView) => number {
  const { port, scheme } = policy;
  if (port !== undefined) return () => port;
  if (scheme !== undefined) return () => wellKnownPort(scheme);
  return (request) => request.listenerPort;
}

function wellKnownPort(scheme: "http" | "https"): number {
  return scheme === "http" ? 80 : 443;
}

function toPortText(scheme: "http" | "https", port: number): string {
  return port === wellKnownPort(scheme) ? "" : `:${port}`;
}

/** The authority without its port; brackets of an IPv6 literal stay. */
function toHost(authority: string): string {
  const colon = authority.lastIndexOf(":");
  if (colon === -1 || authority.indexOf("]", colon) !== -1) return authority;
  return authority.slice(0, colon);
}
