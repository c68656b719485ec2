/**
 * A request that waits until its connection can take it. Nothing of it is written before: a header block cannot be taken back (all share
 * the table), and who gives the request up, or sends it elsewhere, must know that nobody will ever see it.
 */
import type { FaultReason } from "@sallyport/model/fault";
import type { BodyFraming, BodySink } from "../exchange/contract.ts";
import type { RequestHead } from "../head/request-head.ts";
import type { ClientStream } from "./client-stream.ts";
import { OWNED } from "./unsent.ts";

/** What is known of it so far. */
export class EarlyRequest {
  readonly head: RequestHead;
  readonly framing: BodyFraming;
  #bytes: Buffer | undefined = undefined;
  /** Of a body that is complete. */
  #trailers: string | undefined = undefined;

  constructor(head: RequestHead, framing: BodyFraming) {
    this.head = head;
    this.framing = framing;
  }

  /** Its source was told to wait. */
  get isFull(): boolean {
    return this.#bytes !== undefined;
  }

  /** Keeps a piece of the body, as a copy; another should not come. */
  add(bytes: Buffer, from: number, to: number): "full" {
    this.#bytes = Buffer.concat([...(this.#bytes === undefined ? [] : [this.#bytes]), bytes.subarray(from, to)]);
    return "full";
  }

  end(trailers: string): void {
    this.#trailers = trailers;
  }

  /** Sends what came of the body behind the head. True: its source may go on. */
  sendTo(sink: BodySink): boolean {
    const bytes = this.#bytes;
    const outcome = bytes === undefined ? "full" : sink.sendBody(bytes, 0, bytes.length, OWNED);
    if (this.#trailers !== undefined) sink.endBody(this.#trailers);
    return outcome !== "full" && this.#trailers === undefined;
  }
}

/** Those of a connection whose requests wait. */
export class WaitingStreams extends Set<ClientStream> {
  /** Something that is waited for has come. */
  launch(): void {
    for (const stream of [...this]) if (stream.onReady()) this.delete(stream);
  }

  /** It will never come. */
  refuse(reason: FaultReason): void {
    for (const stream of [...this]) stream.onRefused(reason);
  }
}
