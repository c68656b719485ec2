// What the open-loop client says on a connection: HTTP/1.1 as it is written, or HTTP/2 with one stream at a time.
import {
  clientPreface,
  frame,
  FrameCutter,
  frameFlags,
  frameTypes,
  onStream,
  requestFrames,
  saysOk,
  type ReceivedFrame,
} from "../http2/frames.ts";
import { partsOf } from "../http2/request-parts.ts";
import { AnswerReader, type AnswerProgress } from "./answer-reader.ts";

/** Versions of HTTP that the client speaks. */
export type HttpVersion = "1.1" | "2";

/** One connection's side of the talk. */
export interface Conversation {
  /** Written as soon as the connection is open; may be empty. */
  readonly opening: Buffer;
  /** The bytes of the next request. */
  next(request: Buffer): Buffer;
  /** Takes what was received; the buffer may be reused afterwards. */
  push(bytes: Buffer): AnswerProgress;
}

/** How requests are written and conversations begun. */
export interface Dialect {
  /** The bytes of a request that is written as an HTTP/1.1 message. */
  encode(request: string): Buffer;
  /** `reply` writes what has to be said besides requests. */
  begin(reply: (bytes: Buffer) => void): Conversation;
}

/** The dialect of a version; `scheme` is what requests of HTTP/2 say. */
export function dialectOf(version: HttpVersion, scheme: "http" | "https"): Dialect {
  if (version === "1.1")
    return { encode: (request) => Buffer.from(request, "latin1"), begin: () => new PlainConversation() };
  return {
    encode: (request) => requestFrames(partsOf(request), scheme),
    begin: (reply) => new StreamConversation(reply),
  };
}

class PlainConversation implements Conversation {
  readonly opening: Buffer = Buffer.alloc(0);
  readonly #reader = new AnswerReader();

  next(request: Buffer): Buffer {
    return request;
  }

  push(bytes: Buffer): AnswerProgress {
    return this.#reader.push(bytes);
  }
}

class StreamConversation implements Conversation {
  readonly opening: Buffer = clientPreface();
  readonly #reply: (bytes: Buffer) => void;
  readonly #cutter: FrameCutter;
  #stream = -1;
  #status = 0;
  #progress: AnswerProgress = { kind: "more" };

  constructor(reply: (bytes: Buffer) => void) {
    this.#reply = reply;
    this.#cutter = new FrameCutter((received) => this.#receive(received));
  }

  next(request: Buffer): Buffer {
    this.#stream += 2;
    this.#status = 0;
    return onStream(request, this.#stream);
  }

  push(bytes: Buffer): AnswerProgress {
    this.#progress = { kind: "more" };
    this.#cutter.push(bytes);
    return this.#progress;
  }

  #receive(received: ReceivedFrame): void {
    const { type, flags, stream, payload } = received;
    switch (type) {
      case frameTypes.settings:
      case frameTypes.ping: {
        const echoed = type === frameTypes.ping ? payload : undefined;
        if ((flags & frameFlags.ack) === 0) this.#reply(frame(type, frameFlags.ack, 0, echoed));
        return;
      }
      case frameTypes.reset:
      case frameTypes.goAway:
        this.#progress = { kind: "invalid", reason: type === frameTypes.reset ? "RST_STREAM" : "GOAWAY" };
        return;
      case frameTypes.headers:
      case frameTypes.data:
        this.#receiveAnswer(received, stream);
    }
  }

  #receiveAnswer(received: ReceivedFrame, stream: number): void {
    if (stream !== this.#stream) {
      this.#progress = { kind: "invalid", reason: `an answer on stream ${stream}` };
      return;
    }
    // Which status it is instead of 200 would take a decoder; that it is another one is a failure in any case.
    if (received.type === frameTypes.headers && this.#status === 0) this.#status = saysOk(received) ? 200 : 500;
    if ((received.flags & frameFlags.endStream) !== 0) this.#progress = { kind: "complete", status: this.#status };
  }
}
