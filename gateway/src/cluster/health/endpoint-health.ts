/** The health of one endpoint as one worker sees it: takes note of how tries ended, and checks it where nobody else does. */
import type { FaultReason } from "@sallyport/model/fault";
import { TIME, WORD, type EndpointWords } from "../../observe/health-words.ts";
import type { Checker } from "./checker.ts";
import { countOutcome, endRows, isEjected } from "./outlier.ts";
import { isBlamed, type OutlierRule, type OutlierRules, type Outcome } from "./outlier-rules.ts";

/** Who has the endpoint: its cluster. */
export interface EndpointHealthOwner {
  /** Milliseconds, as the times of the words. */
  now(): number;
  /** Undefined: nothing is counted. */
  readonly rules: OutlierRules | undefined;
  /** Other workers, which may still have the endpoint, can check it now. */
  onCheckLeft(): void;
  /** So many failures came in a row. */
  onReached(health: EndpointHealth, rule: OutlierRule): void;
}

/** The endpoint, as far as it matters here. */
interface Host {
  readonly address: string;
  readonly port: number;
  readonly label: string;
  readonly state: string;
}

/** The health of one endpoint. */
export class EndpointHealth {
  readonly host: Host;
  readonly words: EndpointWords;
  /** Where this worker is the one that checks it. */
  checker: Checker | undefined = undefined;
  readonly #owner: EndpointHealthOwner;
  readonly #worker: number;

  constructor(host: Host, words: EndpointWords, owner: EndpointHealthOwner, worker: number) {
    this.host = host;
    this.words = words;
    this.#owner = owner;
    this.#worker = worker;
  }

  /** A try ended with an answer. */
  noteAnswer(status: number): void {
    const { rules } = this.#owner;
    if (rules === undefined) return;
    const outcome = rules.answers[status];
    if (outcome === undefined) endRows(this.words);
    else this.#count(outcome);
  }

  /** A try ended without an answer. */
  noteFailure(reason: FaultReason): void {
    const { rules } = this.#owner;
    if (rules !== undefined && isBlamed(reason)) this.#count(rules.failure);
  }

  /** What people are told of it, besides how fit it is. */
  summary(): { readonly ejectedFor?: number } {
    const now = this.#owner.now();
    return isEjected(this.words, now) ? { ejectedFor: Math.round(this.words.time(TIME.ejectedUntil) - now) } : {};
  }

  /** Whether this worker is to check it from now on: nobody else does. */
  takeCheck(): boolean {
    return this.words.swap(WORD.checker, 0, this.#worker + 1);
  }

  /** Leaves the check, where it is this worker's, to others. */
  leaveCheck(): void {
    const { checker } = this;
    if (checker === undefined) return;
    this.checker = undefined;
    checker.stop();
    if (this.words.swap(WORD.checker, this.#worker + 1, 0)) this.#owner.onCheckLeft();
  }

  #count(outcome: Outcome): void {
    const rule = countOutcome(this.words, outcome);
    if (rule !== undefined && this.host.state !== "removed") this.#owner.onReached(this, rule);
  }
}
