/** /etc/resolv.conf as far as it shapes names (resolv.conf(5)); the servers in it are c-ares' business. */

/** How a name is completed. */
export interface SearchRules {
  /** Domains to append, in order, without dots at their ends. */
  readonly domains: readonly string[];
  /** A name with at least so many dots is tried as it is before the domains. */
  readonly ndots: number;
}

/** Reads the text; what it does not say has the defaults of the resolver. */
export function parseResolvConf(text: string): SearchRules {
  let domains: readonly string[] = [];
  let ndots = 1;
  for (const line of text.split("\n")) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    // Of several `search` and `domain` lines the last counts.
    if (keyword === "search" || keyword === "domain") domains = words.map(toBareName).filter((word) => word !== "");
    if (keyword === "options") ndots = findNdots(words) ?? ndots;
  }
  return { domains, ndots };
}

/** The names to ask for, in order. A name that ends with a dot is complete. */
export function toSearchList(hostname: string, rules: SearchRules): string[] {
  if (hostname.endsWith(".")) return [toBareName(hostname)];
  const completed = rules.domains.map((domain) => `${hostname}.${domain}`);
  const dots = hostname.split(".").length - 1;
  return dots >= rules.ndots ? [hostname, ...completed] : [...completed, hostname];
}

function findNdots(options: readonly string[]): number | undefined {
  for (const option of options) {
    const [, digits] = /^ndots:(\d+)$/.exec(option) ?? [];
    // resolv.conf(5) caps it at 15.
    if (digits !== undefined) return Math.min(Number(digits), 15);
  }
  return undefined;
}

function toBareName(name: string): string {
  return name.toLowerCase().replace(/\.+$/, "");
}
