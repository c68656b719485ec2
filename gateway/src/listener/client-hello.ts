/**
 * Reads a TLS ClientHello as far as choosing a way takes (server name, application protocols), without taking part in the
 * handshake. Bytes may come in any pieces, and the message in any number of records (RFC 8446 sections 4.1.2 and 5.1, RFC 5246
 * sections 6.2.1 and 7.4.1.2). What OpenSSL could read differently is refused rather than guessed at.
 */
import { isIP } from "node:net";
import { toLatin1 } from "../wire/latin1.ts";

/** What a ClientHello asks for. */
export interface ClientHello {
  /** Lower case; undefined where none was sent, or an address, which is no name (RFC 6066 section 3). */
  readonly serverName: string | undefined;
  /** As ALPN lists them, best first (RFC 7301). */
  readonly applicationProtocols: readonly string[];
}

/** `more`: not complete; `plain`: no TLS at all; `malformed`: TLS that cannot be, or is too large. */
export type HelloOutcome =
  | { readonly kind: "more" }
  | { readonly kind: "hello"; readonly hello: ClientHello }
  | { readonly kind: "plain" }
  | { readonly kind: "malformed"; readonly detail: string };

/** Bytes of a message that is read: as much as one record holds, and as Envoy reads. Browsers send 500 to 2000. */
export const MAX_HELLO = 16_384;
/** Bytes of all its records: nobody needs more than a few. */
const MAX_RECORDS = MAX_HELLO + 4_096;

const HANDSHAKE = 0x16;
const CLIENT_HELLO = 0x01;
const RECORD_HEADER = 5;
const MESSAGE_HEADER = 4;
const MAX_RECORD = 16_384;
const SERVER_NAME = 0;
const ALPN = 16;
const HOST_NAME = 0;
const MORE: HelloOutcome = { kind: "more" };

/** Reads one ClientHello. */
export class ClientHelloSniffer {
  /** Everything so far, and how much of its room is used. */
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  /** Where the next record begins. */
  #record = 0;
  /** The message so far, without record headers. */
  #message: Buffer = Buffer.alloc(0);

  /** All bytes taken so far, the hello and what came behind it: not a copy. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Takes bytes[from, to). To be called until something other than `more` comes of it. */
  push(bytes: Buffer, from: number, to: number): HelloOutcome {
    this.#append(bytes, from, to);
    try {
      return this.#look();
    } catch (error) {
      if (error instanceof HelloError) return { kind: "malformed", detail: error.message };
      throw error;
    }
  }

  #append(bytes: Buffer, from: number, to: number): void {
    const needed = this.#length + to - from;
    if (needed > this.#bytes.length) {
      // exactly so much the first time, which is nearly always the last
      const room = this.#length === 0 ? needed : Math.max(needed, this.#bytes.length * 2);
      const grown = Buffer.allocUnsafeSlow(room);
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    bytes.copy(this.#bytes, this.#length, from, to);
    this.#length = needed;
  }

  #look(): HelloOutcome {
    if (this.#length === 0) return MORE;
    if (this.#bytes[0] !== HANDSHAKE) return { kind: "plain" };
    for (;;) {
      const record = this.#readRecord();
      if (record === undefined) break;
      this.#message = this.#message.length === 0 ? record : Buffer.concat([this.#message, record]);
      if (this.#isComplete()) return { kind: "hello", hello: parseClientHello(this.#message) };
    }
    if (this.#length > MAX_RECORDS) throw new HelloError("the records of the ClientHello are too many");
    return MORE;
  }

  /** The next record's content; undefined where it is not complete. */
  #readRecord(): Buffer | undefined {
    const bytes = this.#bytes;
    const at = this.#record;
    const left = this.#length - at;
    if (left > 0 && bytes[at] !== HANDSHAKE) throw new HelloError("a record inside the ClientHello is no handshake");
    if (left > 1 && bytes[at + 1] !== 3) throw new HelloError("the version of a record is none of TLS");
    if (left < RECORD_HEADER) return undefined;
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > MAX_RECORD) throw new HelloError("the length of a record is out of bounds");
    if (this.#message.length === 0 && left > RECORD_HEADER) checkMessageType(bytes, at + RECORD_HEADER);
    if (left < RECORD_HEADER + length) return undefined;
    this.#record = at + RECORD_HEADER + length;
    return bytes.subarray(at + RECORD_HEADER, this.#record);
  }

  #isComplete(): boolean {
    const message = this.#message;
    if (message.length < MESSAGE_HEADER) return false;
    const length = message.readUIntBE(1, 3);
    if (length > MAX_HELLO) throw new HelloError("the ClientHello is too large");
    // no client may go on before it is answered (early data comes in records of another type)
    if (message.length > MESSAGE_HEADER + length) throw new HelloError("more than a ClientHello in its records");
    return message.length === MESSAGE_HEADER + length;
  }
}

class HelloError extends Error {}

function checkMessageType(bytes: Buffer, at: number): void {
  if (bytes[at] !== CLIENT_HELLO) throw new HelloError("the first message is no ClientHello");
}

/** Walks vectors with lengths in front; every read is inside its bounds or throws. */
class Reader {
  readonly #bytes: Buffer;
  #at: number;
  readonly #end: number;

  constructor(bytes: Buffer, at: number, end: number) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  number(size: 1 | 2): number {
    this.#need(size);
    const value = this.#bytes.readUIntBE(this.#at, size);
    this.#at += size;
    return value;
  }

  skip(length: number): void {
    this.#need(length);
    this.#at += length;
  }

  /** What follows a length of so many bytes. */
  vector(size: 1 | 2): Reader {
    const length = this.number(size);
    this.#need(length);
    const inner = new Reader(this.#bytes, this.#at, this.#at + length);
    this.#at += length;
    return inner;
  }

  /** All that is left. */
  text(): string {
    const text = toLatin1(this.#bytes, this.#at, this.#end);
    this.#at = this.#end;
    return text;
  }

  #need(length: number): void {
    if (this.left < length) throw new HelloError("the ClientHello is cut short inside");
  }
}

function parseClientHello(message: Buffer): ClientHello {
  const reader = new Reader(message, MESSAGE_HEADER, message.length);
  // legacy_version and random
  reader.skip(2 + 32);
  if (reader.vector(1).left > 32) throw new HelloError("the session id is too long");
  const suites = reader.vector(2).left;
  if (suites < 2 || suites % 2 !== 0) throw new HelloError("the list of cipher suites is none");
  if (reader.vector(1).left < 1) throw new HelloError("there is no compression method");
  // TLS 1.2 may leave the extensions out altogether
  if (reader.left === 0) return { serverName: undefined, applicationProtocols: [] };
  const extensions = reader.vector(2);
  if (reader.left > 0) throw new HelloError("there is something behind the extensions");
  return parseExtensions(extensions);
}

function parseExtensions(extensions: Reader): ClientHello {
  let serverName: string | undefined;
  let applicationProtocols: readonly string[] | undefined;
  let named = false;
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const body = extensions.vector(2);
    if (type === SERVER_NAME) {
      if (named) throw new HelloError("two server_name extensions");
      named = true;
      serverName = parseServerName(body);
    } else if (type === ALPN) {
      if (applicationProtocols !== undefined) throw new HelloError("two ALPN extensions");
      applicationProtocols = parseProtocols(body);
    }
  }
  return { serverName, applicationProtocols: applicationProtocols ?? [] };
}

/** RFC 6066 section 3: one name of a type, and no other type exists. */
function parseServerName(body: Reader): string | undefined {
  const list = body.vector(2);
  if (body.left > 0 || list.left === 0) throw new HelloError("the server_name extension is malformed");
  if (list.number(1) !== HOST_NAME) throw new HelloError("a server name of unknown type");
  const name = list.vector(2).text().toLowerCase();
  if (list.left > 0) throw new HelloError("two server names");
  if (isIP(name) !== 0) return undefined;
  if (!isDnsName(name)) throw new HelloError("the server name is no DNS name");
  return name;
}

/** RFC 1123 names, with the underscore that is met in practice; a trailing dot is not allowed (RFC 6066 section 3). */
function isDnsName(name: string): boolean {
  return (
    name.length <= 253 &&
    /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/.test(name)
  );
}

/** RFC 7301 section 3.1. */
function parseProtocols(body: Reader): readonly string[] {
  const list = body.vector(2);
  if (body.left > 0 || list.left === 0) throw new HelloError("the ALPN extension is malformed");
  const protocols: string[] = [];
  while (list.left > 0) {
    const protocol = list.vector(1).text();
    if (protocol === "") throw new HelloError("an empty application protocol");
    protocols.push(protocol);
  }
  return protocols;
}
