// A second, independent HTTP/1.1 reader for tests: it accepts only what RFC 9112 says in its strictest reading, so that
// anything a gateway emits that two parsers could read differently shows as a problem. Written for clarity, not speed.
import { parseFields, parseRequestLine, parseStatusLine } from "./strict-head.ts";
import type { Field } from "./strict-head.ts";

/** One message as it was read; bytes are kept as latin1 strings so that each byte is one character. */
export interface Message {
  /** Request method; empty in a response. */
  readonly method: string;
  /** Request target as sent; empty in a response. */
  readonly target: string;
  /** Status code; 0 in a request. */
  readonly status: number;
  /** `HTTP/1.1` or `HTTP/1.0`. */
  readonly version: string;
  readonly fields: readonly Field[];
  readonly framing: "none" | "length" | "chunked" | "close";
  /** The content with any chunked coding taken off. */
  body: string;
  readonly trailers: Field[];
  /** What followed the size of each chunk that had an extension. */
  readonly chunkExtensions: string[];
  /** False until the last byte came. */
  complete: boolean;
}

/** What a reader must be told: a response's framing depends on what was asked. */
export interface ReaderOptions {
  readonly role: "request" | "response";
  /** A response has no content whatever its fields say (it answers a HEAD). */
  bodyless?(response: Message, index: number): boolean;
  onHead?(message: Message): void;
  onMessage?(message: Message): void;
}

type Phase = "head" | "fixed" | "size" | "data" | "data-end" | "trailers" | "close" | "tunnel" | "broken";

const PHASE_OF = { length: "fixed", chunked: "size", close: "close" } as const;

const SIZE_LINE = /^([0-9A-Fa-f]{1,15})(;.*)?$/;

/** Reads one direction of a connection, message by message, from any segmentation of its bytes. */
export class StrictReader {
  /** Every message whose head was read, in order (interim responses too). */
  readonly messages: Message[] = [];
  /** Why reading stopped, if the bytes were not HTTP/1.1. */
  problem: string | undefined;
  /** What came after the connection became a tunnel. */
  tunnel = "";
  readonly #options: ReaderOptions;
  #phase: Phase = "head";
  #rest = "";
  #left = 0;
  #finals = 0;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** True when no message has been begun and not ended. */
  get idle(): boolean {
    return this.#phase === "head" && this.#rest === "";
  }

  /** From here on bytes are no longer HTTP. */
  openTunnel(): void {
    this.#phase = "tunnel";
    this.tunnel += this.#rest;
    this.#rest = "";
  }

  push(bytes: Uint8Array): void {
    this.#rest += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    while (this.#step());
  }

  /** The other side will send no more: completes a message that ends with the connection. */
  end(): void {
    const message = this.messages.at(-1);
    if (this.#phase === "close" && message !== undefined) this.#finish(message);
    else if (this.#phase === "head" && this.#rest !== "") this.#break("ended inside a head");
  }

  #break(problem: string): false {
    this.problem ??= `${problem}: ${JSON.stringify(this.#rest.slice(0, 80))}`;
    this.#phase = "broken";
    return false;
  }

  /** One step of reading; false when more bytes are needed. */
  #step(): boolean {
    switch (this.#phase) {
      case "head":
        return this.#head();
      case "fixed":
      case "data":
        return this.#content();
      case "size":
        return this.#size();
      case "data-end":
        return this.#dataEnd();
      case "trailers":
        return this.#trailers();
      case "close":
        this.#append(this.#rest.length);
        return false;
      case "tunnel":
        this.tunnel += this.#rest;
        this.#rest = "";
        return false;
      case "broken":
        return false;
    }
  }

  #append(count: number): void {
    const message = this.messages.at(-1);
    if (message !== undefined) message.body += this.#rest.slice(0, count);
    this.#rest = this.#rest.slice(count);
  }

  #finish(message: Message): void {
    message.complete = true;
    this.#phase = "head";
    this.#options.onMessage?.(message);
  }

  #head(): boolean {
    if (this.#rest === "") return false;
    const end = this.#rest.indexOf("\r\n\r\n");
    if (end < 0) {
      // A head that is broken already must not wait for its end.
      if (/(^|[^\r])\n|\r[^\n]/.test(this.#rest)) return this.#break("line ending");
      return false;
    }
    const lines = this.#rest.slice(0, end).split("\r\n");
    const start = lines.shift() ?? "";
    const line = this.#options.role === "request" ? parseRequestLine(start) : parseStatusLine(start);
    if (typeof line === "string") return this.#break(line);
    const fields = parseFields(lines);
    if (typeof fields === "string") return this.#break(fields);
    const framing = frame(this.#options.role, line.version, fields);
    if (typeof framing === "string") return this.#break(framing);
    this.#rest = this.#rest.slice(end + 4);
    const message: Message = {
      ...line,
      fields,
      framing: framing.kind,
      body: "",
      trailers: [],
      chunkExtensions: [],
      complete: false,
    };
    this.messages.push(message);
    this.#options.onHead?.(message);
    return this.#begin(message, framing.length);
  }

  /** Decides what follows a head (RFC 9112 section 6.3). */
  #begin(message: Message, length: number): boolean {
    if (this.#phase === "tunnel") return true;
    const { status, framing } = message;
    if (status >= 100 && status < 200) return this.#interim(message);
    const index = this.#finals++;
    const bodyless = status === 204 || status === 304 || (this.#options.bodyless?.(message, index) ?? false);
    if (bodyless || framing === "none" || (framing === "length" && length === 0)) {
      this.#finish(message);
      return true;
    }
    this.#left = length;
    this.#phase = PHASE_OF[framing];
    return true;
  }

  #interim(message: Message): boolean {
    if (message.framing !== "close") return this.#break("interim response with content");
    this.#finish(message);
    if (message.status === 101) this.openTunnel();
    return true;
  }

  #content(): boolean {
    const message = this.messages.at(-1);
    if (message === undefined || this.#rest === "") return false;
    const count = Math.min(this.#left, this.#rest.length);
    this.#append(count);
    this.#left -= count;
    if (this.#left > 0) return false;
    if (this.#phase === "fixed") this.#finish(message);
    else this.#phase = "data-end";
    return true;
  }

  #size(): boolean {
    const end = this.#rest.indexOf("\r\n");
    if (end < 0) return this.#rest.includes("\n") ? this.#break("chunk size line") : false;
    const match = SIZE_LINE.exec(this.#rest.slice(0, end));
    if (match === null) return this.#break("chunk size line");
    if (match[2] !== undefined) this.messages.at(-1)?.chunkExtensions.push(match[2]);
    this.#rest = this.#rest.slice(end + 2);
    this.#left = Number.parseInt(match[1] ?? "", 16);
    this.#phase = this.#left === 0 ? "trailers" : "data";
    return true;
  }

  #dataEnd(): boolean {
    if (this.#rest.length < 2) return false;
    if (!this.#rest.startsWith("\r\n")) return this.#break("chunk without CRLF after its data");
    this.#rest = this.#rest.slice(2);
    this.#phase = "size";
    return true;
  }

  #trailers(): boolean {
    const message = this.messages.at(-1);
    const end = this.#rest.startsWith("\r\n") ? 0 : this.#rest.indexOf("\r\n\r\n");
    if (end < 0 || message === undefined) return false;
    const fields = parseFields(end === 0 ? [] : this.#rest.slice(0, end).split("\r\n"));
    if (typeof fields === "string") return this.#break(`trailer section: ${fields}`);
    message.trailers.push(...fields);
    this.#rest = this.#rest.slice(end === 0 ? 2 : end + 4);
    this.#finish(message);
    return true;
  }
}

/** Values of a field by lower-case name, in order. */
export function fieldValues(fields: readonly Field[], name: string): readonly string[] {
  return fields.filter((field) => field.name.toLowerCase() === name).map((field) => field.value);
}

interface Framing {
  readonly kind: Message["framing"];
  readonly length: number;
}

function frame(role: "request" | "response", version: string, fields: readonly Field[]): Framing | string {
  const lengths = fieldValues(fields, "content-length");
  const codings = fieldValues(fields, "transfer-encoding");
  if (codings.length > 0) {
    if (lengths.length > 0) return "Content-Length together with Transfer-Encoding";
    if (version !== "HTTP/1.1") return "Transfer-Encoding in HTTP/1.0";
    if (codings.length > 1 || codings[0]?.toLowerCase() !== "chunked") return "Transfer-Encoding other than chunked";
    return { kind: "chunked", length: 0 };
  }
  if (lengths.length > 1) return "several Content-Length fields";
  const length = lengths[0];
  if (length === undefined) return { kind: role === "request" ? "none" : "close", length: 0 };
  if (!/^(0|[1-9][0-9]{0,14})$/.test(length)) return "Content-Length value";
  return { kind: "length", length: Number(length) };
}
