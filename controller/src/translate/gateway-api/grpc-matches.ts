/** Matches of a GRPCRoute rule: a call is a POST to `/service/method`, so they are matches of the path. */
import type { HttpMatch, PathMatch } from "@sallyport/model/match";
import type { GRPCRouteMatch, GRPCRouteMethodMatch } from "../../kube/generated/types/grpc-route.ts";
import type { Flaw } from "../flaw.ts";
import { checkPattern, EVERYTHING, toMatchFlaw, translateHeaderMatches, type TranslatedMatches } from "./matches.ts";

/** One path segment: what stands for any service or any method. */
const ANY_NAME = "[^/]+";

/** Translates the matches of a rule; a rule without any matches every call. `path` is that of the rule. */
export function translateGrpcMatches(matches: readonly GRPCRouteMatch[], path: string): TranslatedMatches {
  if (matches.length === 0) return { matches: [EVERYTHING], flaws: [] };
  const flaws: Flaw[] = [];
  const translated = matches.map(({ method, headers }, index): HttpMatch => {
    const where = `${path}.matches[${index}]`;
    return {
      path: method === undefined ? EVERYTHING.path : translateMethod(method, `${where}.method`, flaws),
      headers: translateHeaderMatches(headers ?? [], `${where}.headers`, flaws),
      query: [],
    };
  });
  return { matches: translated, flaws };
}

function translateMethod(match: GRPCRouteMethodMatch, path: string, flaws: Flaw[]): PathMatch {
  switch (match.type) {
    case "Exact":
      return toExactPath(match);
    case "RegularExpression":
      return toPattern(match, path, flaws);
    default:
      flaws.push(toMatchFlaw(`${path}.type`, `the method match type ${String(match.type)} is not known`));
      return EVERYTHING.path;
  }
}

/**
 * Exact paths win over prefixes, so that a service with a method wins over a service alone, as the API has it. A method of any
 * service is a pattern that the router knows by its beginning, and ranks behind every service.
 */
function toExactPath({ service = "", method = "" }: GRPCRouteMethodMatch): PathMatch {
  if (service !== "" && method !== "") return { kind: "exact", value: `/${service}/${method}` };
  if (service !== "") return { kind: "prefix", value: `/${service}` };
  return method === "" ? EVERYTHING.path : { kind: "regex", value: `/${ANY_NAME}/${method}` };
}

function toPattern({ service = "", method = "" }: GRPCRouteMethodMatch, path: string, flaws: Flaw[]): PathMatch {
  const before = flaws.length;
  if (service !== "") checkPattern(service, `${path}.service`, flaws);
  if (method !== "") checkPattern(method, `${path}.method`, flaws);
  const value = `/${toGroup(service)}/${toGroup(method)}`;
  // Two that are good by themselves may not be together, as where both name a group alike.
  if (flaws.length === before) checkPattern(value, path, flaws);
  return { kind: "regex", value };
}

function toGroup(pattern: string): string {
  return pattern === "" ? ANY_NAME : `(?:${pattern})`;
}
