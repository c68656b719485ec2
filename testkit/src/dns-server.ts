/**
 * A small DNS server on the loopback, UDP and TCP on one port, that answers what a test tells it: addresses with a TTL,
 * errors, nothing at all, or truncated over UDP so that the client must come again over TCP (RFC 1035).
 */
import { createSocket, type RemoteInfo, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, isIPv4, type Server, type Socket } from "node:net";

/** What the server says of a name; addresses of both families mixed. */
export type DnsAnswer =
  | { readonly kind: "addresses"; readonly addresses: readonly string[]; readonly ttl: number }
  /** As addresses, but over UDP only the header with the TC bit. */
  | { readonly kind: "truncated"; readonly addresses: readonly string[]; readonly ttl: number }
  /** Names it was not told about are `nxdomain`. */
  | { readonly kind: "nxdomain" | "servfail" | "silent" };

/** One question it was asked. */
export interface DnsQuestion {
  /** Lower case, without trailing dot. */
  readonly name: string;
  readonly type: "A" | "AAAA" | "other";
  readonly transport: "udp" | "tcp";
}

const TYPE_A = 1;
const TYPE_AAAA = 28;
const RCODE = { addresses: 0, truncated: 0, servfail: 2, nxdomain: 3, silent: 0 } as const;

/** A running server. */
export class DnsServer {
  /** By lower-case name. Change it at any time. */
  readonly answers = new Map<string, DnsAnswer>();
  /** Every question so far, in order. */
  readonly questions: DnsQuestion[] = [];
  /** For dns.Resolver.setServers. */
  readonly address: string;
  readonly #udp: DatagramSocket;
  readonly #tcp: Server;
  readonly #connections = new Set<Socket>();

  private constructor(udp: DatagramSocket, tcp: Server) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.address = `127.0.0.1:${udp.address().port}`;
    udp.on("message", (query, from) => this.#onDatagram(query, from));
    tcp.on("connection", (socket) => this.#onConnection(socket));
  }

  /** Listens on a free port. */
  static async open(): Promise<DnsServer> {
    const tcp = createServer();
    tcp.listen(0, "127.0.0.1");
    await once(tcp, "listening");
    const udp = createSocket("udp4");
    udp.bind((tcp.address() as AddressInfo).port, "127.0.0.1");
    await once(udp, "listening");
    return new DnsServer(udp, tcp);
  }

  async close(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    const closed = [once(this.#udp, "close"), once(this.#tcp, "close")];
    this.#udp.close();
    this.#tcp.close();
    await Promise.all(closed);
  }

  #onDatagram(query: Buffer, from: RemoteInfo): void {
    const answer = this.#answer(query, "udp");
    if (answer !== undefined) this.#udp.send(answer, from.port, from.address);
  }

  #onConnection(socket: Socket): void {
    this.#connections.add(socket);
    socket.on("close", () => this.#connections.delete(socket));
    socket.on("error", () => socket.destroy());
    let received = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        const answer = this.#answer(received.subarray(2, end), "tcp");
        if (answer !== undefined) socket.write(Buffer.concat([toUint16(answer.length), answer]));
        received = received.subarray(end);
      }
    });
  }

  #answer(query: Buffer, transport: DnsQuestion["transport"]): Buffer | undefined {
    const { name, type, end } = parseQuestion(query);
    this.questions.push({ name, type: toTypeName(type), transport });
    const answer = this.answers.get(name) ?? { kind: "nxdomain" };
    if (answer.kind === "silent") return undefined;
    const isCut = answer.kind === "truncated" && transport === "udp";
    const addresses = "addresses" in answer && !isCut ? answer.addresses.filter((one) => toType(one) === type) : [];
    const ttl = "ttl" in answer ? answer.ttl : 0;
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    // QR, the client's RD, RA, and TC where cut short
    header.writeUInt16BE(0x8080 | (query.readUInt16BE(2) & 0x0100) | (isCut ? 0x0200 : 0) | RCODE[answer.kind], 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(addresses.length, 6);
    const records = addresses.map((address) => toRecord(address, ttl));
    return Buffer.concat([header, query.subarray(12, end), ...records]);
  }
}

function parseQuestion(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function toTypeName(type: number): DnsQuestion["type"] {
  if (type === TYPE_A) return "A";
  return type === TYPE_AAAA ? "AAAA" : "other";
}

function toType(address: string): number {
  return isIPv4(address) ? TYPE_A : TYPE_AAAA;
}

/** A record of the name in question (a pointer to offset 12). */
function toRecord(address: string, ttl: number): Buffer {
  const data = isIPv4(address) ? Buffer.from(address.split(".").map(Number)) : toIPv6Bytes(address);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(toType(address), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttl, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function toIPv6Bytes(address: string): Buffer {
  const [left = "", right] = address.split("::");
  const head = toGroups(left);
  const tail = toGroups(right ?? "");
  const groups = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
  return Buffer.concat(groups.map(toUint16));
}

function toGroups(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}

function toUint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
