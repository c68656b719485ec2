/**
 * Origins of the CORS policy: `*`, `https://a.example`, `https://*.example` (any number of labels), `https://*`; each with
 * an optional port. A browser serialises an origin in lower case and without the default port of its scheme.
 */

/** Whether the value of an Origin field is one of these. Anything that is not an origin is not. */
export type MatchOrigin = (origin: string) => boolean;

/** Compiles the list; an empty one matches nothing. */
export function compileOrigins(origins: readonly string[]): MatchOrigin {
  if (origins.includes("*")) return () => true;
  const exact = new Set<string>();
  const wildcards: Wildcard[] = [];
  for (const origin of origins) {
    const pattern = toSerialized(origin);
    const star = pattern.indexOf("*");
    if (star === -1) exact.add(pattern);
    else wildcards.push({ start: pattern.slice(0, star), end: pattern.slice(star + 1) });
  }
  return (origin) => {
    const text = origin.toLowerCase();
    return exact.has(text) || wildcards.some((wildcard) => matchesWildcard(text, wildcard));
  };
}

interface Wildcard {
  readonly start: string;
  readonly end: string;
}

/** What stands for the `*` must be a host or a part of one: `https://evil.test/.example` is no origin at all. */
const HOST = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])$/;

function matchesWildcard(origin: string, { start, end }: Wildcard): boolean {
  if (origin.length <= start.length + end.length || !origin.startsWith(start) || !origin.endsWith(end)) return false;
  return HOST.test(origin.slice(start.length, origin.length - end.length));
}

function toSerialized(origin: string): string {
  const text = origin.toLowerCase();
  if (text.startsWith("http://") && text.endsWith(":80")) return text.slice(0, -3);
  if (text.startsWith("https://") && text.endsWith(":443")) return text.slice(0, -4);
  return text;
}
