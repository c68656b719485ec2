/**
 * The header of the PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt), from the receiving side: which client
 * a balancer in front of us speaks for. Bytes may come in any pieces; a header is bounded, and anything unclear is refused.
 */
import { isIP, isIPv4 } from "node:net";
import { crc32c } from "./crc32c.ts";
import { toLatin1 } from "../wire/latin1.ts";

/** An end of a connection. */
export interface ProxyAddress {
  readonly address: string;
  readonly port: number;
}

/** What a header says. */
export interface ProxyHeader {
  /** Both ends of the client's connection; undefined: the balancer speaks for itself (health checks), or does not know. */
  readonly ends: { readonly source: ProxyAddress; readonly destination: ProxyAddress } | undefined;
}

/**
 * `more`: not decided; `absent`: what comes first is no header; `header`: it is `length` bytes long; `malformed`: it begins as
 * one and is none.
 */
export type ProxyOutcome =
  | { readonly kind: "more" }
  | { readonly kind: "absent" }
  | { readonly kind: "header"; readonly header: ProxyHeader; readonly length: number }
  | { readonly kind: "malformed"; readonly detail: string };

/** Bytes of the longest version 1 line. */
const MAX_LINE = 107;
/** Bytes of a version 2 header that is read, signature and all: addresses and room for the extensions that are in use. */
const MAX_BINARY = 4_096;
const LINE_START = Buffer.from("PROXY ", "latin1");
const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const BINARY_HEADER = 16;
const CRC32C = 0x03;

const MORE: ProxyOutcome = { kind: "more" };
const ABSENT: ProxyOutcome = { kind: "absent" };

/** Looks at everything that came so far: bytes[from, to). Nothing is kept between two calls. */
export function parseProxyHeader(bytes: Buffer, from: number, to: number): ProxyOutcome {
  if (to === from) return MORE;
  if (startsWith(LINE_START, bytes, from, to)) return parseLine(bytes, from, to);
  if (startsWith(SIGNATURE, bytes, from, to)) return parseBinary(bytes, from, to);
  return ABSENT;
}

/** Whether all that is there of `start` is as it must be. */
function startsWith(start: Buffer, bytes: Buffer, from: number, to: number): boolean {
  const length = Math.min(start.length, to - from);
  return bytes.compare(start, 0, length, from, from + length) === 0;
}

function malformed(detail: string): ProxyOutcome {
  return { kind: "malformed", detail };
}

function parseLine(bytes: Buffer, from: number, to: number): ProxyOutcome {
  const limit = Math.min(to, from + MAX_LINE);
  const feed = bytes.subarray(from, limit).indexOf("\n");
  if (feed < 0) return limit - from < MAX_LINE ? MORE : malformed("the line is too long");
  const line = toLatin1(bytes, from, from + feed);
  if (!line.endsWith("\r")) return malformed("the line does not end with CRLF");
  return parseLineText(line.slice(0, -1), feed + 1);
}

/** `length`: of the whole header. */
function parseLineText(text: string, length: number): ProxyOutcome {
  // whatever follows is to be ignored
  if (/^PROXY UNKNOWN(?: |$)/.test(text)) return { kind: "header", header: { ends: undefined }, length };
  const match = /^PROXY TCP([46]) ([0-9a-fA-F.:]+) ([0-9a-fA-F.:]+) (\d{1,5}) (\d{1,5})$/.exec(text);
  if (match === null) return malformed("the line is malformed");
  const [, family, source = "", destination = "", sourcePort = "", destinationPort = ""] = match;
  if (isIP(source) !== Number(family) || isIP(destination) !== Number(family)) return malformed("an address is none");
  const ports = [parsePort(sourcePort), parsePort(destinationPort)] as const;
  if (ports[0] === undefined || ports[1] === undefined) return malformed("a port is none");
  return toHeader({ address: source, port: ports[0] }, { address: destination, port: ports[1] }, length);
}

function parsePort(text: string): number | undefined {
  if (text.length > 1 && text.startsWith("0")) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

function toHeader(source: ProxyAddress, destination: ProxyAddress, length: number): ProxyOutcome {
  const ends = { source: toOwn(source), destination: toOwn(destination) };
  return { kind: "header", header: { ends }, length };
}

/** One way of writing an address: IPv4 inside IPv6 as IPv4, IPv6 in lower case and compressed as URLs have it. */
function toOwn({ address, port }: ProxyAddress): ProxyAddress {
  if (isIPv4(address)) return { address, port };
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short);
  if (mapped === null) return { address: short, port };
  const [high, low] = [Number.parseInt(mapped[1] ?? "", 16), Number.parseInt(mapped[2] ?? "", 16)];
  return { address: `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`, port };
}

function parseBinary(bytes: Buffer, from: number, to: number): ProxyOutcome {
  const have = to - from;
  if (have < BINARY_HEADER) return MORE;
  const command = bytes[from + 12] ?? 0;
  if (command >> 4 !== 2) return malformed("the version is not 2");
  const length = BINARY_HEADER + bytes.readUInt16BE(from + 14);
  if (length > MAX_BINARY) return malformed("the header is too long");
  if (have < length) return MORE;
  const header = bytes.subarray(from, from + length);
  if (command === 0x20) return { kind: "header", header: { ends: undefined }, length };
  if (command !== 0x21) return malformed("the command is unknown");
  return parseProxied(header);
}

/** Bytes of an address, by the byte that says family and transport. Others are passed over as "not known". */
const FAMILIES: Readonly<Record<number, 4 | 16>> = { 0x11: 4, 0x21: 16 };
/** Bytes of the addresses of families that are not ours: datagrams and UNIX sockets. */
const FOREIGN: Readonly<Record<number, number>> = { 0x00: 0, 0x12: 12, 0x22: 36, 0x31: 216, 0x32: 216 };

function parseProxied(header: Buffer): ProxyOutcome {
  const family = header[13] ?? 0;
  const size = FAMILIES[family];
  const foreign = FOREIGN[family];
  if (size === undefined && foreign === undefined) return malformed("the address family is unknown");
  const end = BINARY_HEADER + (size === undefined ? (foreign ?? 0) : 2 * size + 4);
  if (header.length < end) return malformed("the addresses are cut short");
  const problem = checkExtensions(header, end);
  if (problem !== undefined) return malformed(problem);
  if (size === undefined) return { kind: "header", header: { ends: undefined }, length: header.length };
  const source = toAddress(header, BINARY_HEADER, size);
  const destination = toAddress(header, BINARY_HEADER + size, size);
  const ports = BINARY_HEADER + 2 * size;
  return toHeader(
    { address: source, port: header.readUInt16BE(ports) },
    { address: destination, port: header.readUInt16BE(ports + 2) },
    header.length,
  );
}

function toAddress(header: Buffer, at: number, size: 4 | 16): string {
  if (size === 4) return header.subarray(at, at + 4).join(".");
  const groups = Array.from({ length: 8 }, (_, group) => header.readUInt16BE(at + 2 * group).toString(16));
  return groups.join(":");
}

/** Extensions are passed over by their lengths, which must fit; a checksum must be right (section 2.2.3). */
function checkExtensions(header: Buffer, from: number): string | undefined {
  for (let at = from; at < header.length;) {
    if (header.length - at < 3) return "an extension is cut short";
    const length = header.readUInt16BE(at + 1);
    const end = at + 3 + length;
    if (end > header.length) return "an extension is cut short";
    if (header[at] === CRC32C && !isSound(header, at + 3, length)) return "the checksum is wrong";
    at = end;
  }
  return undefined;
}

/** The checksum counts the header with zeros in its own place. */
function isSound(header: Buffer, at: number, length: number): boolean {
  if (length !== 4) return false;
  const copy = Buffer.from(header);
  copy.fill(0, at, at + 4);
  return crc32c(copy) === header.readUInt32BE(at);
}
