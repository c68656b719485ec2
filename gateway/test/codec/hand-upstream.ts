/** An upstream that a test plays by hand, one stream per request, and what its exchanges recorded. */
import type { FaultReason } from "@sallyport/model/fault";
import { eventually } from "@sallyport/testkit/eventually";
import type {
  ConnectionRequest,
  EndpointRequest,
  UpstreamCluster,
  UpstreamConnection,
} from "../../src/cluster/contract.ts";
import type {
  AnswerReceiver,
  BodyFraming,
  BodyMode,
  SendOutcome,
  UpstreamStream,
} from "../../src/exchange/contract.ts";
import type { RequestHead } from "../../src/head/request-head.ts";
import type { ResponseHead } from "../../src/head/response-head.ts";
import { ChunkedDecoder } from "../../src/http1/chunked.ts";
import type { ExchangeRecord } from "../../src/observe/contract.ts";
import { FreeRetries } from "../free-retries.ts";

/** What a test looks at of a record. */
export type RecordFacts = Pick<ExchangeRecord, "status" | "flag" | "bytesReceived" | "bytesSent">;

/** A cluster whose streams are the test's. */
export class HandUpstream implements UpstreamCluster {
  readonly key = "test/hand:80";
  readonly retries = new FreeRetries();
  readonly records: RecordFacts[] = [];
  /** What its endpoint was told of tries, in order. */
  readonly notes: (number | FaultReason)[] = [];
  /** The endpoints that requests did not want, in order. */
  readonly avoided: string[] = [];
  /** Whether each asked for a connection that nobody had used before. */
  readonly asked: ("any" | "fresh")[] = [];
  takesRaw = true;
  /** Whether its connections answered before. */
  reused = false;
  hold = false;
  /** So many connections will never come up. */
  unreachable = 0;
  /** Streams say "full" to every piece. */
  full = false;
  readonly #streams: HandStream[] = [];
  #waiting: ConnectionRequest[] = [];

  get waiting(): number {
    return this.#waiting.length;
  }

  acquire(request: ConnectionRequest, fresh: boolean): void {
    this.asked.push(fresh ? "fresh" : "any");
    if (request.avoids !== undefined) this.avoided.push(request.avoids.label);
    if (this.unreachable > 0) {
      this.unreachable--;
      request.refuse("connect-failure", this.#open());
    } else if (this.hold) this.#waiting.push(request);
    else request.assign(this.#open(), this.reused);
  }

  lease(request: EndpointRequest): void {
    request.refuse("no-endpoints");
  }

  serves(): boolean {
    return false;
  }

  cancel(request: ConnectionRequest | EndpointRequest): void {
    this.#waiting = this.#waiting.filter((one) => one !== request);
  }

  release(): void {
    this.hold = false;
    for (const request of this.#waiting.splice(0)) request.assign(this.#open(), this.reused);
  }

  /** The stream of the next request, when its head has come. */
  next(): Promise<HandStream> {
    return eventually(() => this.#streams.shift(), { what: "a request" });
  }

  #open(): UpstreamConnection {
    return {
      endpoint: {
        address: "192.0.2.9",
        port: 80,
        label: "192.0.2.9:80",
        active: () => 0,
        session: "",
        noteAnswer: (status) => void this.notes.push(status),
        noteFailure: (reason) => void this.notes.push(reason),
      },
      capacity: 1,
      settled: true,
      upgradable: true,
      connected: true,
      failureDetail: "",
      open: (receiver) => {
        const stream = new HandStream(receiver, this.takesRaw);
        stream.full = this.full;
        this.#streams.push(stream);
        return stream;
      },
      close: () => undefined,
    };
  }
}

/** One stream. */
export class HandStream implements UpstreamStream {
  readonly takesRaw: boolean;
  readonly offersRaw = false;
  bodyBytes = 0;
  receiver: AnswerReceiver | undefined;
  head: RequestHead | undefined = undefined;
  framing: BodyFraming | undefined = undefined;
  mode: BodyMode | undefined = undefined;
  ended = false;
  flushed = false;
  cancelled = 0;
  /** It was cancelled because it took too long. */
  late = false;
  discarded = 0;
  /** Says "full" to every piece. */
  full = false;
  onResume: () => void = () => undefined;
  #content = "";
  #trailers = "";
  readonly #decoder = new ChunkedDecoder();

  constructor(receiver: AnswerReceiver, takesRaw: boolean) {
    this.receiver = receiver;
    this.takesRaw = takesRaw;
  }

  /** What came of the body, without framing. */
  get content(): string {
    return this.#content;
  }

  get trailers(): readonly (readonly [string, string])[] {
    return toPairs(this.#trailers);
  }

  sendHead(head: RequestHead, framing: BodyFraming, mode: BodyMode): void {
    this.head = head;
    this.framing = framing;
    this.mode = mode;
    this.#decoder.start("content");
  }

  sendBody(bytes: Buffer, from: number, to: number): SendOutcome {
    if (this.ended) throw new Error("a piece behind the end");
    const piece = Buffer.from(bytes.subarray(from, to));
    if (this.mode === "raw") {
      if (this.#decoder.feed(piece, 0, piece.length) !== piece.length) throw new Error("not raw chunks");
      this.#content += piece.toString("latin1", this.#decoder.from, this.#decoder.to);
      this.#trailers = this.#decoder.trailers;
    } else this.#content += piece.toString("latin1");
    return this.full ? "full" : "taken";
  }

  endBody(trailers: string): void {
    if (this.ended) throw new Error("ended twice");
    if (this.mode === "raw" && this.framing === "stream" && !this.#decoder.done) throw new Error("raw without an end");
    this.ended = true;
    this.#trailers += trailers;
  }

  flush(): "taken" | "full" {
    this.flushed = true;
    return this.full ? "full" : "taken";
  }

  cancel(isLate = false): void {
    this.cancelled++;
    this.late = isLate;
    this.receiver = undefined;
  }

  discard(): void {
    this.discarded++;
    this.receiver = undefined;
  }

  pauseBody(): void {
    // the test decides what to send
  }

  resumeBody(): void {
    this.onResume();
  }

  /** More of the request may come. */
  drain(): void {
    this.receiver?.onUpstreamDrain();
  }

  begin(head: ResponseHead, framing: BodyFraming): void {
    this.receiver?.onAnswerHead(head, framing);
    this.receiver?.onAnswerTurn();
  }

  piece(text: string): SendOutcome {
    const bytes = Buffer.from(text, "latin1");
    this.bodyBytes += bytes.length;
    const outcome = this.receiver?.onAnswerBody(bytes, 0, bytes.length, undefined) ?? "taken";
    return this.receiver?.onAnswerTurn() === "full" ? "full" : outcome;
  }

  finish(trailers: readonly (readonly [string, string])[] = []): void {
    const { receiver } = this;
    this.receiver = undefined;
    receiver?.onAnswerEnd(trailers.map(([name, value]) => `${name}: ${value}\r\n`).join(""));
  }

  /** A whole answer in one turn. */
  answer(head: ResponseHead, framing: BodyFraming, pieces: readonly string[]): void {
    this.receiver?.onAnswerHead(head, framing);
    for (const text of pieces) {
      const bytes = Buffer.from(text, "latin1");
      this.bodyBytes += bytes.length;
      this.receiver?.onAnswerBody(bytes, 0, bytes.length, undefined);
    }
    this.finish();
  }
}

/** Lines with CRLF as pairs. */
export function toPairs(lines: string): (readonly [string, string])[] {
  return lines
    .split("\r\n")
    .filter((line) => line !== "")
    .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()] as const);
}
