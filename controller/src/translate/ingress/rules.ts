/** Rules of an Ingress: hosts and paths with one backend each. */
import type { HttpMatch, PathMatch } from "@sallyport/model/match";
import type { HttpRule } from "@sallyport/model/route";
import type { IngressPath, IngressRule } from "../../kube/generated/types/ingress.ts";
import type { Finding } from "../flaw.ts";
import { ANY_HOST } from "../hostname.ts";
import { translateBackend } from "./backends.ts";
import { type IngressContext, toRule } from "./context.ts";

/** The rules of one host of one Ingress. */
export interface HostRules {
  /** Lower case; `*.example.com`, or `*` for any. */
  readonly host: string;
  readonly rules: readonly HttpRule[];
}

/** The rules of one Ingress by host, and what is wrong with them. */
export interface TranslatedRules {
  readonly hosts: readonly HostRules[];
  readonly findings: readonly Finding[];
}

/** Translates `spec.rules`; rules of one host are joined in the order they are written. */
export function translateRules(context: IngressContext, rules: readonly IngressRule[]): TranslatedRules {
  const hosts = new Map<string, HttpRule[]>();
  const findings: Finding[] = [];
  for (const [index, rule] of rules.entries()) {
    const host = rule.host === undefined || rule.host === "" ? ANY_HOST : rule.host.toLowerCase();
    const joined = hosts.get(host) ?? [];
    hosts.set(host, joined);
    for (const [at, entry] of (rule.http?.paths ?? []).entries()) {
      const path = `spec.rules[${index}].http.paths[${at}]`;
      const backend = translateBackend(context, entry.backend, `${path}.backend`);
      findings.push(...backend.findings, ...findPatternRemarks(entry, path));
      joined.push(toRule(context, { matches: [toMatch(host, entry)], id: `${host}${entry.path ?? "/"}` }, backend));
    }
  }
  return { hosts: Array.from(hosts, ([host, joined]) => ({ host, rules: joined })), findings };
}

/** Everything that no rule matches. */
export const EVERYTHING: HttpMatch = { path: { kind: "prefix", value: "/" }, headers: [], query: [] };

function toMatch(host: string, entry: IngressPath): HttpMatch {
  return { path: toPathMatch(entry), headers: toHostConditions(host), query: [] };
}

/** What a pathType is for is ours to say where it is ImplementationSpecific: the same as Prefix. */
function toPathMatch({ path = "/", pathType }: IngressPath): PathMatch {
  return { kind: pathType === "Exact" ? "exact" : "prefix", value: path };
}

/** A wildcard of an Ingress stands for one label, and a wildcard of a listener or route for one or more. */
function toHostConditions(host: string): HttpMatch["headers"] {
  if (!host.startsWith("*.")) return [];
  const suffix = host.slice(1).replaceAll(".", String.raw`\.`);
  return [{ name: "host", kind: "regex", value: String.raw`(?i)[^.:]+${suffix}(:[0-9]+)?` }];
}

/** Other controllers read patterns under this pathType; here they match nothing, which somebody should be told. */
function findPatternRemarks({ path = "/", pathType }: IngressPath, where: string): Finding[] {
  if (pathType !== "ImplementationSpecific" || !/[\\^$*+?()[\]{}|]/.test(path)) return [];
  const message = "a path of type ImplementationSpecific is taken as a prefix, not as a pattern";
  return [{ code: "unsupported-value", path: `${where}.path`, message }];
}
