/** What is kept of an exchange whose bodies policies have a say in; other exchanges have none of this. */
import type { RequestHead } from "../head/request-head.ts";
import type { Stash } from "../wire/stash.ts";
import { freeRoom } from "./body-room.ts";
import type { Exchange } from "./exchange.ts";
import type { BodyEncoder } from "./encoder.ts";

/** The bodies of one exchange. */
export class Contents {
  /** Bytes that the request's may have; -1: any number. */
  limit = -1;
  /** The request's, while nothing of the request went upstream. */
  gathered: Stash | undefined = undefined;
  /** What goes upstream in place of the head that came, once the body is whole. */
  head: RequestHead | undefined = undefined;
  /** Of the answer's. */
  encoder: BodyEncoder | undefined = undefined;
}

/** Lets go of all of it. What was sent of an encoded body is what was sent at all. */
export function closeContents(exchange: Exchange): void {
  const { content } = exchange;
  if (content === undefined) return;
  const { encoder, gathered } = content;
  exchange.content = undefined;
  if (gathered !== undefined) freeRoom(exchange);
  if (encoder === undefined) return;
  exchange.bytesSent = encoder.sent;
  encoder.close();
}
