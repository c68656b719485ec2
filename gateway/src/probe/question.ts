/** What a check asks over HTTP, and what it makes of the answer. */
import type { RequestHead } from "../head/request-head.ts";
import type { ResponseHead } from "../head/response-head.ts";

/** One question. */
export interface Question {
  readonly head: RequestHead;
  /** Of the request; empty: it has no body. */
  readonly body: Buffer;
  /** The head of the answer came. What is wrong with it, for people; "" for nothing. */
  readHead(head: ResponseHead): string;
  /** The whole answer came: its body, unless the question does not ask for it, and its trailers. As above. */
  readEnd(body: Buffer, trailers: string): string;
}
