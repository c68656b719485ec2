/**
 * The PROXY header in front of a connection to an upstream (HAProxy's "The PROXY protocol", versions 1 and 2): who the
 * client is, for servers that would otherwise see the gateway only.
 */
import { isIPv4, isIPv6 } from "node:net";
import type { DownstreamConnection, DownstreamTls } from "../exchange/contract.ts";

/** Section 2.2: what no client of another protocol begins with. */
const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
/** Version 2, command PROXY. */
const VERSION_COMMAND = 0x21;
const TCP4 = 0x11;
const TCP6 = 0x21;
const UNSPECIFIED = 0x00;

/** Types of section 2.2.1 and following. */
const TYPE_AUTHORITY = 0x02;
const TYPE_SSL = 0x20;
const SUBTYPE_SSL_VERSION = 0x21;
const SUBTYPE_SSL_CIPHER = 0x23;
const CLIENT_SSL = 0x01;
const CLIENT_CERT_CONN = 0x02;
const CLIENT_CERT_SESS = 0x04;

const MAPPED = "::ffff:";

/** What the header tells: of the client, and of the TLS it spoke with the gateway. */
export type ProxiedConnection = Pick<DownstreamConnection, "remote" | "local" | "tls">;

/** The header; `serverName`: of TLS that is passed on as it is. */
export function toProxyHeader(version: "v1" | "v2", about: ProxiedConnection, serverName: string | undefined): Buffer {
  const ends = toEnds(about);
  return version === "v1" ? toVersion1(ends) : toVersion2(ends, about.tls, about.tls?.serverName ?? serverName);
}

/** Both ends of a connection in one address family. */
interface Ends {
  readonly family: 4 | 6;
  readonly from: HostPort;
  readonly to: HostPort;
}

interface HostPort {
  readonly address: string;
  readonly port: number;
}

function toVersion1(ends: Ends | undefined): Buffer {
  if (ends === undefined) return Buffer.from("PROXY UNKNOWN\r\n", "latin1");
  const { family, from, to } = ends;
  return Buffer.from(`PROXY TCP${family} ${from.address} ${to.address} ${from.port} ${to.port}\r\n`, "latin1");
}

function toVersion2(ends: Ends | undefined, tls: DownstreamTls | undefined, serverName: string | undefined): Buffer {
  const addresses = ends === undefined ? Buffer.alloc(0) : toAddressBlock(ends);
  const authority = serverName === undefined ? Buffer.alloc(0) : toField(TYPE_AUTHORITY, Buffer.from(serverName));
  const rest = Buffer.concat([addresses, authority, tls === undefined ? Buffer.alloc(0) : toTlsField(tls)]);
  const head = Buffer.alloc(4);
  head[0] = VERSION_COMMAND;
  head[1] = toFamilyByte(ends);
  head.writeUInt16BE(rest.length, 2);
  return Buffer.concat([SIGNATURE, head, rest]);
}

function toFamilyByte(ends: Ends | undefined): number {
  if (ends === undefined) return UNSPECIFIED;
  return ends.family === 4 ? TCP4 : TCP6;
}

function toAddressBlock({ family, from, to }: Ends): Buffer {
  const toBytes = family === 4 ? toIpv4Bytes : toIpv6Bytes;
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(from.port, 0);
  ports.writeUInt16BE(to.port, 2);
  return Buffer.concat([Buffer.from(toBytes(from.address)), Buffer.from(toBytes(to.address)), ports]);
}

/** Section 2.2.6. `verify` is 0 only where a certificate was shown and is believed. */
function toTlsField({ version, cipher, clientCertificate, resumed }: DownstreamTls): Buffer {
  const shown = clientCertificate === undefined ? 0 : CLIENT_CERT_SESS | (resumed ? 0 : CLIENT_CERT_CONN);
  const head = Buffer.alloc(5);
  head[0] = CLIENT_SSL | shown;
  head.writeUInt32BE(clientCertificate?.verified === true ? 0 : 1, 1);
  return toField(
    TYPE_SSL,
    Buffer.concat([
      head,
      toField(SUBTYPE_SSL_VERSION, Buffer.from(version)),
      toField(SUBTYPE_SSL_CIPHER, Buffer.from(cipher)),
    ]),
  );
}

function toField(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(3);
  head[0] = type;
  head.writeUInt16BE(value.length, 1);
  return Buffer.concat([head, value]);
}

/** Where the families differ (a PROXY header came from elsewhere), IPv4 is written as IPv4-mapped IPv6. */
function toEnds({ remote, local }: ProxiedConnection): Ends | undefined {
  const from = splitHostPort(remote);
  const to = splitHostPort(local);
  if (from === undefined || to === undefined) return undefined;
  if (isIPv4(from.address) && isIPv4(to.address)) return { family: 4, from, to };
  return { family: 6, from: map(from), to: map(to) };
}

function map({ address, port }: HostPort): HostPort {
  return { address: isIPv4(address) ? MAPPED + address : address, port };
}

/** `address:port`, IPv6 in brackets and without its zone; undefined for anything else. */
function splitHostPort(text: string): HostPort | undefined {
  const colon = text.lastIndexOf(":");
  const address = text
    .slice(0, colon)
    .replace(/^\[|\]$/g, "")
    .replace(/%.*$/, "");
  const port = Number(text.slice(colon + 1));
  if (colon < 0 || (!isIPv4(address) && !isIPv6(address))) return undefined;
  return Number.isInteger(port) && port >= 0 && port <= 0xffff ? { address, port } : undefined;
}

function toIpv4Bytes(address: string): number[] {
  return address.split(".").map(Number);
}

/** RFC 4291 section 2.2. */
function toIpv6Bytes(address: string): number[] {
  const [before = "", after] = address.split("::");
  const head = toGroups(before);
  const tail = toGroups(after ?? "");
  const gap = Array.from({ length: after === undefined ? 0 : 8 - head.length - tail.length }, () => 0);
  return [...head, ...gap, ...tail].flatMap((group) => [group >> 8, group & 0xff]);
}

/** Groups of 16 bits; the last may be written as an IPv4 address, which is two. */
function toGroups(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((part) => {
    if (!part.includes(".")) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = toIpv4Bytes(part);
    return [(a << 8) | b, (c << 8) | d];
  });
}
