/** Clients without sockets. */
import type { DownstreamStream, RequestReceiver, SendOutcome } from "../../src/exchange/contract.ts";
import { CLIENT_CONNECTION } from "../client-connection.ts";
import type { TurnedTime } from "./turned-time.ts";

/** A client that sends a body in pieces, and counts what it is told. */
export class CountingClient implements DownstreamStream {
  readonly connection = CLIENT_CONNECTION;
  readonly offersRaw = false;
  readonly takesRaw = false;
  readonly bodyBytes = 0;
  gone = false;
  heads = 0;
  ends = 0;
  aborts = 0;
  readonly #time: TurnedTime;
  readonly #pace: number;
  #left: number;
  #paused = true;
  #receiver: RequestReceiver | undefined = undefined;

  constructor(time: TurnedTime, pieces: number, pace: number) {
    this.#time = time;
    this.#left = pieces;
    this.#pace = pace;
  }

  /** Whether it was told how it ended. */
  get isOver(): boolean {
    return this.ends + this.aborts > 0 || this.gone;
  }

  /** Pieces of its body that were not sent; below 0 where its end was, too. */
  get left(): number {
    return this.#left;
  }

  serve(receiver: RequestReceiver): void {
    this.#receiver = receiver;
  }

  takeBody(): void {
    this.#paused = false;
    this.#next();
  }

  pauseBody(): void {
    this.#paused = true;
  }

  resumeBody(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#next();
  }

  sendInterim(): void {
    // of no interest
  }

  sendHead(): void {
    this.heads++;
  }

  retractHead(): boolean {
    return false;
  }

  sendBody(): SendOutcome {
    return "taken";
  }

  endBody(): void {
    this.ends++;
  }

  flush(): "taken" {
    return "taken";
  }

  abort(): void {
    this.aborts++;
  }

  leave(): void {
    if (this.isOver) return;
    this.gone = true;
    this.#receiver?.onDownstreamClosed();
  }

  #next(): void {
    this.#time.after(this.#pace, () => {
      if (this.#paused || this.isOver || this.#left < 0) return;
      if (this.#left-- === 0) this.#receiver?.onRequestEnd("");
      else {
        this.#receiver?.onRequestBody(Buffer.from("piece"), 0, 5, undefined);
        this.#next();
      }
    });
  }
}
