// What a peer is told to call and what it tells of it, in words that all clients of the suite share (go/client.go has the same).
import { createHash } from "node:crypto";

/** How many messages go each way. */
export type CallKind = "unary" | "client-stream" | "server-stream" | "bidi";

/** Calls of one kind on one connection. */
export interface CallOrder {
  /** `host:port`. */
  readonly target: string;
  readonly authority: string;
  /** PEM of the authority to trust; "" for cleartext. */
  readonly ca: string;
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly kind: CallKind;
  /** Sizes of the messages sent, which are pattern(index, size). In a bidi call the answer to each is awaited. */
  readonly send: readonly number[];
  /** Values of `-bin` keys in base64. */
  readonly metadata: readonly (readonly [string, string])[];
  readonly calls: number;
  /** How many of them at a time. */
  readonly parallel: number;
  /** Milliseconds; 0 for none. */
  readonly deadline: number;
  /** Cancels once the head of the answer is there. */
  readonly cancelOn: "headers" | "";
  /** Calls until SIGTERM, and then tells a tally instead of results. */
  readonly untilTerminated: boolean;
}

/** What came of one call. Values of `-bin` keys are in base64. */
export interface CallResult {
  readonly code: number;
  readonly message: string;
  readonly header: Readonly<Record<string, readonly string[]>>;
  readonly trailer: Readonly<Record<string, readonly string[]>>;
  /** Sizes of the messages that came. */
  readonly received: readonly number[];
  /** SHA-256 of them all, hex. */
  readonly digest: string;
}

/** Service and methods of every server of the suite, by kind of call. */
export const METHODS: Readonly<Record<CallKind, string>> = {
  unary: "/sallyport.interop.Echo/Unary",
  "client-stream": "/sallyport.interop.Echo/Collect",
  "server-stream": "/sallyport.interop.Echo/Scatter",
  bidi: "/sallyport.interop.Echo/Chat",
};

/** The message of an index. */
export function pattern(index: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0; at < size; at += 1) bytes[at] = (at * 7 + index) & 0xff;
  return bytes;
}

/** SHA-256 of messages, hex. */
export function digestOf(messages: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const message of messages) hash.update(message);
  return hash.digest("hex");
}
