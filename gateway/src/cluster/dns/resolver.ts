/**
 * Resolves host names for clusters: IP literals and /etc/hosts at once, everything else by c-ares with the TTL of the
 * answer and the search domains of /etc/resolv.conf. getaddrinfo is not used: it tells no TTL and shares four threads with
 * file access and compression.
 *
 * Unless another family is asked for, IPv4 comes first, IPv6 only for names without IPv4 addresses: a name that has both is rarely
 * served well on both. Addresses that stand for no address (0.0.0.0, with which filters answer, and ::) are left out, for connections
 * to them would come to this machine; IPv4 in the clothes of IPv6 (RFC 4291 section 2.5.5.2) is IPv4.
 */
import { Resolver } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import type { AddressFamily, NameResolver, ResolvedName, UnresolvedName } from "../contract.ts";
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

  async resolve(hostname: string, family?: AddressFamily): Promise<ResolvedName | UnresolvedName> {
    if (isIP(hostname) !== 0) return { addresses: [hostname], ttl: FOREVER };
    const name = hostname.toLowerCase();
    const [hosts, rules] = await Promise.all([this.#readHosts(), this.#readRules()]);
    const known = hosts.get(name.replace(/\.$/, ""));
    if (known !== undefined) return toFamily({ addresses: known, ttl: FILE_TTL }, family);
    if (isLoopbackName(name)) return { addresses: [family === "ipv6" ? "::1" : "127.0.0.1"], ttl: FILE_TTL };
    return this.#search(name, rules, family);
  }

  close(): void {
    this.#resolver.cancel();
  }

  /** A domain that cannot be asked ends the search: another one's answer might be for another name. */
  async #search(name: string, rules: SearchRules, family: AddressFamily): Promise<ResolvedName | UnresolvedName> {
    let outcome: ResolvedName | UnresolvedName = { kind: "negative", detail: "ENOTFOUND" };
    for (const candidate of toSearchList(name, rules)) {
      outcome = await this.#query(candidate, family);
      if (!("kind" in outcome) || outcome.kind === "failed") return outcome;
    }
    return outcome;
  }

  async #query(name: string, family: AddressFamily): Promise<ResolvedName | UnresolvedName> {
    const ask4 = (): ReturnType<typeof toOutcome> => toOutcome(this.#resolver.resolve4(name, { ttl: true }), family);
    const ask6 = (): ReturnType<typeof toOutcome> => toOutcome(this.#resolver.resolve6(name, { ttl: true }), family);
    switch (family) {
      case "ipv4":
        return ask4();
      case "ipv6":
        return ask6();
      case "both":
        return unite(...(await Promise.all([ask4(), ask6()])));
      case undefined: {
        const inIPv4 = await ask4();
        return "kind" in inIPv4 && inIPv4.kind === "negative" ? ask6() : inIPv4;
      }
    }
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

/** Those of both answers; one that could not be had is of no account beside one with addresses. */
function unite(
  one: ResolvedName | UnresolvedName,
  other: ResolvedName | UnresolvedName,
): ResolvedName | UnresolvedName {
  if ("kind" in one) return "kind" in other && one.kind === "failed" ? one : other;
  if ("kind" in other) return one;
  const addresses = [...new Set([...one.addresses, ...other.addresses])];
  return { addresses, ttl: Math.min(one.ttl, other.ttl) };
}

/** What of an answer is of this family, and can be connected to, each once. */
function toFamily({ addresses, ttl }: ResolvedName, family: AddressFamily): ResolvedName | UnresolvedName {
  const all = [...new Set(addresses.map(toPlainAddress))].filter((address) => !NO_ADDRESS.has(address));
  const inIPv4 = all.filter((address) => isIP(address) === 4);
  let wanted = family === "both" || (family === undefined && inIPv4.length === 0) ? all : inIPv4;
  if (family === "ipv6") wanted = all.filter((address) => isIP(address) === 6);
  return wanted.length === 0 ? { kind: "negative", detail: "ENODATA" } : { addresses: wanted, ttl };
}

/** Stands for no address, and for this machine to whoever connects to it. */
const NO_ADDRESS: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

function toPlainAddress(address: string): string {
  const [, mapped = ""] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  return isIP(mapped) === 4 ? mapped : address;
}

/** Codes of c-ares that are an answer: the name, or addresses of it, do not exist. */
const NEGATIVE: ReadonlySet<string> = new Set(["ENOTFOUND", "ENODATA"]);

async function toOutcome(
  query: Promise<readonly { readonly address: string; readonly ttl: number }[]>,
  family: AddressFamily,
): Promise<ResolvedName | UnresolvedName> {
  try {
    const records = await query;
    if (records.length === 0) return { kind: "negative", detail: "ENODATA" };
    const addresses = records.map((record) => record.address);
    return toFamily({ addresses, ttl: Math.min(...records.map((record) => record.ttl)) }, family);
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
