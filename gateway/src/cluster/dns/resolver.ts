/**
 * Resolves host names for clusters: IP literals and /etc/hosts at once, everything else by c-ares with the TTL of the
 * answer and the search domains of /etc/resolv.conf. getaddrinfo is not used: it tells no TTL and shares four threads with
 * file access and compression.
 *
 * IPv4 comes first, IPv6 only for names without IPv4 addresses: a name that has both is rarely served well on both.
 */
import { Resolver } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import type { NameResolver, ResolvedName, UnresolvedName } from "../contract.ts";
import { parseHosts } from "./hosts-file.ts";
import { parseResolvConf, type SearchRules, toSearchList } from "./resolv-conf.ts";

/** What resolving depends on besides the name. Absent: the system's. */
export interface ResolverOptions {
  /** `address:port` of name servers. */
  readonly servers?: readonly string[];
  readonly resolvConfPath?: string;
  readonly hostsPath?: string;
  /** Milliseconds for one query to one server, and how often it is asked. */
  readonly timeout?: number;
  readonly tries?: number;
}

/** Never changes, as far as its source goes. */
const FOREVER = Number.POSITIVE_INFINITY;
/** Names of /etc/hosts and of the loopback are looked up again after so many seconds: files are edited. */
const FILE_TTL = 5;

/** Opens the resolver. Reads the two files anew for each name: they are small, and edits count. */
export function openResolver(options: ResolverOptions = {}): NameResolver {
  return new CaresResolver(options);
}

class CaresResolver implements NameResolver {
  readonly #options: ResolverOptions;
  readonly #resolver: Resolver;

  constructor(options: ResolverOptions) {
    this.#options = options;
    this.#resolver = new Resolver({ timeout: options.timeout ?? 2000, tries: options.tries ?? 3 });
    if (options.servers !== undefined) this.#resolver.setServers(options.servers);
  }

  async resolve(hostname: string): Promise<ResolvedName | UnresolvedName> {
    if (isIP(hostname) !== 0) return { addresses: [hostname], ttl: FOREVER };
    const name = hostname.toLowerCase();
    const [hosts, rules] = await Promise.all([this.#readHosts(), this.#readRules()]);
    const known = hosts.get(name.replace(/\.$/, ""));
    if (known !== undefined) return { addresses: preferIPv4(known), ttl: FILE_TTL };
    if (isLoopbackName(name)) return { addresses: ["127.0.0.1"], ttl: FILE_TTL };
    return this.#search(name, rules);
  }

  close(): void {
    this.#resolver.cancel();
  }

  /** A domain that cannot be asked ends the search: another one's answer might be for another name. */
  async #search(name: string, rules: SearchRules): Promise<ResolvedName | UnresolvedName> {
    let outcome: ResolvedName | UnresolvedName = { kind: "negative", detail: "ENOTFOUND" };
    for (const candidate of toSearchList(name, rules)) {
      outcome = await this.#query(candidate);
      if (!("kind" in outcome) || outcome.kind === "failed") return outcome;
    }
    return outcome;
  }

  async #query(name: string): Promise<ResolvedName | UnresolvedName> {
    const inIPv4 = await toOutcome(this.#resolver.resolve4(name, { ttl: true }));
    if (!("kind" in inIPv4) || inIPv4.kind === "failed") return inIPv4;
    return toOutcome(this.#resolver.resolve6(name, { ttl: true }));
  }

  async #readHosts(): Promise<ReadonlyMap<string, readonly string[]>> {
    return parseHosts(await readText(this.#options.hostsPath ?? "/etc/hosts"));
  }

  async #readRules(): Promise<SearchRules> {
    return parseResolvConf(await readText(this.#options.resolvConfPath ?? "/etc/resolv.conf"));
  }
}

/** RFC 6761 section 6.3: never asked of a server, whose answer could be anything. */
function isLoopbackName(name: string): boolean {
  return /^(?:.*\.)?localhost\.?$/.test(name);
}

function preferIPv4(addresses: readonly string[]): readonly string[] {
  const inIPv4 = addresses.filter((address) => isIP(address) === 4);
  return inIPv4.length > 0 ? inIPv4 : addresses;
}

/** Codes of c-ares that are an answer: the name, or addresses of it, do not exist. */
const NEGATIVE: ReadonlySet<string> = new Set(["ENOTFOUND", "ENODATA"]);

async function toOutcome(
  query: Promise<readonly { readonly address: string; readonly ttl: number }[]>,
): Promise<ResolvedName | UnresolvedName> {
  try {
    const records = await query;
    if (records.length === 0) return { kind: "negative", detail: "ENODATA" };
    const addresses = [...new Set(records.map((record) => record.address))];
    return { addresses, ttl: Math.min(...records.map((record) => record.ttl)) };
  } catch (error) {
    const code = toCode(error);
    return { kind: NEGATIVE.has(code) ? "negative" : "failed", detail: code };
  }
}

function toCode(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return String(error);
}

/** "" for a file that is not there or cannot be read: a system without it has no such rules. */
async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return "";
  }
}
