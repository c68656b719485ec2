/**
 * The contract of a policy. A policy is configuration; `compile` turns it once into a Filter; the filter runs on every
 * exchange of the routes it is attached to. All option branching happens at compile time.
 *
 * Phases, in order: onRequest of every filter (rule policies first, then those of the chosen backend), upstream, onResponse
 * in reverse order, onEnd. A filter that replies ends the request phases; the response phases of the filters that already
 * ran still see its reply, so that CORS headers reach local replies too. So whoever must see every answer as it leaves stands
 * first: compression, then overrides.
 *
 * Filters see heads alone. What becomes of bodies they ask for, and the exchange does it: limitBody(), replace(), encodeBody().
 */
import type { ResponseFlag } from "@sallyport/model/fault";
import type { Policy, PolicyKind } from "@sallyport/model/policy";
import type { CompiledPage } from "./page.ts";

/** Header access shared by requests and responses. Names are compared without case; repeated fields join with ",", cookies with "; ". */
export interface HeaderView {
  /** The value, or undefined where there is no such field. Bytes 0x80-0xff are latin1 characters. */
  header(name: string): string | undefined;
  /** Replaces all fields of this name by one. The value must hold no CR, LF or NUL (compile checks static ones). */
  setHeader(name: string, value: string): void;
  /** Joins the value to an existing field with "," or adds the field. */
  addHeader(name: string, value: string): void;
  /** Removes all fields of this name. */
  removeHeader(name: string): void;
}

/** What a filter sees and may change of a request. Host, framing and hop-by-hop fields are not headers here. */
export interface RequestView extends HeaderView {
  readonly method: string;
  /** Of the downstream connection. */
  readonly scheme: "http" | "https";
  /** Host and optional port as the client sent them; what is set goes upstream as Host. */
  authority: string;
  /** Path and query, normalised, beginning with `/` (or `*`); what is set goes upstream. */
  path: string;
  /** The prefix that the matched rule asked for, without trailing slash; undefined where it matched otherwise. */
  readonly matchedPrefix: string | undefined;
  /** Advertised port of the listener. */
  readonly listenerPort: number;
  /** The trusted client address. */
  readonly clientAddress: string;
  /** Names this request in logs; of a client, where that is trusted: it may hold any text that a field can. */
  readonly requestId: string;
  /** A gRPC call: native, or translated by beGrpc(). */
  readonly isGrpc: boolean;
  /** beGrpc() made it a gRPC call. */
  readonly isTranslatedGrpc: boolean;
  /** Goes on as a gRPC call: the upstream is told that trailers are read, and answers made here are gRPC statuses. */
  beGrpc(): void;
  /** Sends a copy of this request (head as it is after all request phases, body as it streams) to a cluster; its answer is dropped. */
  mirrorTo(cluster: string): void;
  /**
   * Answers 413 where the body is longer; of several limits the smallest counts. `whole`: nothing goes upstream before all of it is
   * here (calls of gRPC excepted, whose two sides may wait for each other).
   */
  limitBody(maxBytes: number, mode: "streamed" | "whole"): void;
  /** Notes for the access log what a filter did to an exchange that goes on, e.g. "DI"; a later fault or reply overrides it. */
  setFlag(flag: ResponseFlag): void;
}

/** What a filter sees and may change of a response, local or from upstream. */
export interface ResponseView extends HeaderView {
  readonly status: number;
  /** The standard phrase of the status; "Unknown" where it has none. */
  readonly reason: string;
  /** Who made it. */
  readonly source: "upstream" | "local";
  /** Bytes of its body (of the one a GET would have, where this answers HEAD); undefined where only the end will tell. */
  readonly bodyLength: number | undefined;
  /** Puts another answer in the place of this one; what does not describe its body stays. */
  replace(answer: Replacement): void;
  /**
   * Sends the body in this content coding, with what the head must then say. The last one asked for counts. Where there is no body,
   * or no room for one more coder, the answer stays as it is.
   */
  encodeBody(coding: ContentCoding): void;
  /**
   * Ends the body of this answer, if it has one, with what `closing` makes of the trailers, instead of with the trailers. The last one
   * set counts.
   */
  closeBody(closing: BodyClosing): void;
}

/** What takes the place of an answer. */
export interface Replacement {
  readonly status: number;
  /** Absent: it keeps its own. Sent as UTF-8. */
  readonly body?: { readonly contentType: string; readonly text: string } | undefined;
}

/** A content coding (RFC 9110 section 8.4.1) and how hard it tries. */
export interface ContentCoding {
  readonly name: "gzip" | "br" | "zstd";
  readonly level: number;
}

/** Makes the last bytes of a body from its trailers (latin1 lines with CRLF; "" where there are none). */
export type BodyClosing = (trailers: string) => Uint8Array;

/** A response made here. Content-Length is added; `body` is sent as UTF-8 and must be short. */
export interface LocalReply {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  /** What a call of gRPC is told; absent: what clients would make of the status. */
  readonly grpcStatus?: number | undefined;
  /** For the access log, e.g. "FI"; "-" for none. */
  readonly flag: ResponseFlag;
}

/** Nothing to say (go on), or the reply that ends the request phases. */
export type Verdict = LocalReply | undefined;

/** A compiled policy. A phase returns a promise only if it must wait: the exchange does not await otherwise. */
export interface Filter {
  /**
   * True where onRequest depends on the request head and static configuration alone and never replies asynchronously: the
   * codec may then cache its outcome with the head.
   */
  readonly deterministic: boolean;
  onRequest?(request: RequestView): Verdict | Promise<Verdict>;
  /** Whether onResponse has something to do for this request; absent: always. Saves the copy of the head that it could change. */
  concerns?(request: RequestView): boolean;
  onResponse?(response: ResponseView, request: RequestView): void;
}

/** What the outside gives to filters. Everything a filter needs beyond its exchange comes through here. */
export interface Capabilities {
  /** Uniform in [0, 1). */
  random(): number;
  /** Resolves after so many milliseconds, or earlier when the exchange is given up. */
  delay(milliseconds: number): Promise<void>;
  /** The page of that key; asked for while compiling. It is there: whoever compiles looked for it. */
  page(key: string): CompiledPage;
}

/** Compiles one kind of policy. Throws only on a bug: configuration was validated before it got here. */
export type CompilePolicy<P extends Policy> = (policy: P, capabilities: Capabilities) => Filter;

/** A compile function for every kind. */
export type PolicyRegistry = { readonly [K in PolicyKind]: CompilePolicy<Extract<Policy, { kind: K }>> };
