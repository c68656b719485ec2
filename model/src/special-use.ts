/**
 * Addresses that stand for no other machine (RFC 6890): where somebody else says whom a proxy is to connect to, these would lead to the
 * proxy's own machine, to what only that machine may ask (metadata of instances), or to nobody in particular. IPv4 that is dressed as IPv6
 * counts as what it is: kernels and translators undress it.
 */

/** What an address is for. `metadata`: services of AWS for its machines, by IPv6. `malformed`: it is no IP literal. */
export type SpecialUse =
  | "unspecified"
  | "loopback"
  | "link-local"
  | "multicast"
  | "broadcast"
  | "metadata"
  | "malformed";

/** The special use of an address, with or without a zone (`%eth0`); undefined for one that may be another machine's. */
export function findSpecialUse(address: string): SpecialUse | undefined {
  const [text = ""] = address.split("%", 1);
  if (text.includes(":")) {
    const groups = parseIpv6(text);
    return groups === undefined ? "malformed" : findUseOfIpv6(groups);
  }
  const octets = parseIpv4(text);
  return octets === undefined ? "malformed" : findUseOfIpv4(octets);
}

type Octets = readonly [number, number, number, number];

function findUseOfIpv4([first, second, third, fourth]: Octets): SpecialUse | undefined {
  // who connects to "this network" (RFC 1122 section 3.2.1.3) reaches this machine
  if (first === 0) return "unspecified";
  if (first === 127) return "loopback";
  if (first === 169 && second === 254) return "link-local";
  if (first >= 224 && first <= 239) return "multicast";
  return first === 255 && second === 255 && third === 255 && fourth === 255 ? "broadcast" : undefined;
}

function findUseOfIpv6(groups: readonly number[]): SpecialUse | undefined {
  const [first = 0, second = 0] = groups;
  const last = groups[7] ?? 0;
  if (groups.every((group, index) => group === 0 || index === 7)) {
    if (last === 0) return "unspecified";
    if (last === 1) return "loopback";
  }
  if ((first & 0xff_c0) === 0xfe_80) return "link-local";
  if ((first & 0xff_00) === 0xff_00) return "multicast";
  if (first === 0xfd_00 && second === 0x0e_c2) return "metadata";
  const embedded = findEmbedded(groups);
  return embedded && findUseOfIpv4(embedded);
}

/**
 * The IPv4 address in an IPv6 one: mapped and compatible (RFC 4291 section 2.5.5), translated (RFC 2765 section 2.1), of NAT64 by its own
 * and by local prefixes of 96 bits (RFC 6052 section 2.1, RFC 8215), and 6to4 (RFC 3056 section 2).
 */
function findEmbedded(groups: readonly number[]): Octets | undefined {
  const [first = 0, second = 0, third = 0] = groups;
  if (first === 0x20_02) return toOctets(second, third);
  const isNat64 = first === 0x64 && second === 0xff_9b;
  return isNat64 || IN_LAST.has(groups.slice(0, 6).join(":")) ? toOctets(groups[6] ?? 0, groups[7] ?? 0) : undefined;
}

/** First six groups of addresses whose last two are IPv4. */
const IN_LAST: ReadonlySet<string> = new Set(["0:0:0:0:0:65535", "0:0:0:0:0:0", "0:0:0:0:65535:0"]);

function toOctets(high: number, low: number): Octets {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff];
}

function parseIpv4(text: string): Octets | undefined {
  const [first, second, third, fourth, ...rest] = text.split(".").map(parseOctet);
  const isWhole = first !== undefined && second !== undefined && third !== undefined && fourth !== undefined;
  return isWhole && rest.length === 0 ? [first, second, third, fourth] : undefined;
}

function parseOctet(text: string): number | undefined {
  return /^(0|[1-9]\d{0,2})$/.test(text) && Number(text) <= 255 ? Number(text) : undefined;
}

/** RFC 4291 section 2.2: eight groups, with one `::` for those that are zero. */
function parseIpv6(text: string): readonly number[] | undefined {
  const [head = "", tail, ...more] = text.split("::");
  const left = parseGroups(head);
  // IPv4 can stand at the end alone
  const isMisplaced = tail !== undefined && head.includes(".");
  if (left === undefined || isMisplaced || more.length > 0) return undefined;
  if (tail === undefined) return left.length === 8 ? left : undefined;
  const right = parseGroups(tail);
  const zeros = 8 - left.length - (right?.length ?? 8);
  return right === undefined || zeros < 1 ? undefined : [...left, ...Array<number>(zeros).fill(0), ...right];
}

/** The last one may be IPv4, and is two groups then. */
function parseGroups(text: string): readonly number[] | undefined {
  const groups: number[] = [];
  const parts = text === "" ? [] : text.split(":");
  for (const [index, part] of parts.entries()) {
    const octets = index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (octets !== undefined) groups.push((octets[0] << 8) | octets[1], (octets[2] << 8) | octets[3]);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}
