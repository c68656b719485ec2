/** A receiver of answers that writes down what it is told. */
import type { FaultReason } from "@sallyport/model/fault";
import type { AnswerReceiver, BodyFraming, BodyMode, SendOutcome, TryProgress } from "../../src/exchange/contract.ts";
import { toPairs } from "./hand-upstream.ts";

/** Writes down what it is told. */
export class Receiver implements AnswerReceiver {
  readonly interim: number[] = [];
  status = 0;
  framing: BodyFraming | undefined = undefined;
  body = "";
  trailers: readonly (readonly [string, string])[] = [];
  ends = 0;
  /** Called with the head. */
  onHead: () => void = () => undefined;
  readonly failures: { reason: FaultReason; progress: TryProgress }[] = [];
  drains = 0;
  /** Of what it was given: a head that comes alone stops nothing. */
  full = false;

  onInterim(head: { status: number }): void {
    this.interim.push(head.status);
  }

  onAnswerHead(head: { status: number }, framing: BodyFraming): BodyMode {
    this.status = head.status;
    this.framing = framing;
    this.onHead();
    return "content";
  }

  onAnswerBody(bytes: Buffer, from: number, to: number): SendOutcome {
    if (this.ends > 0) throw new Error("a piece behind the end");
    this.body += bytes.toString("latin1", from, to);
    return this.full ? "full" : "taken";
  }

  onAnswerEnd(trailers: string): void {
    this.ends++;
    this.trailers = toPairs(trailers);
  }

  onAnswerTurn(): "taken" | "full" {
    return this.full && this.body !== "" ? "full" : "taken";
  }

  onUpstreamDrain(): void {
    this.drains++;
  }

  onAnswerFailed(reason: FaultReason, progress: TryProgress): void {
    this.failures.push({ reason, progress });
  }
}
