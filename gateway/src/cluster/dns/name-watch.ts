/**
 * Keeps the addresses of one name up to date: asks again when the TTL is over, keeps the last good addresses while nobody
 * can answer, and gives them up only after several answers in a row that the name has none. Sans-IO: resolving, time and
 * chance are arguments.
 */
import type { AddressFamily, ClusterTableOptions, ResolvedName, UnresolvedName } from "../contract.ts";
import type { LeftOutAddress } from "./left-out.ts";
import { type JudgedAnswer, keepAll, keepRoutable } from "./routable.ts";

/** What a watch stands on. */
export type NameWatchOptions = Pick<ClusterTableOptions, "resolver" | "schedule" | "random"> & {
  readonly family?: AddressFamily;
  /** Milliseconds between two questions, whatever the TTL of the answer is. */
  readonly refresh?: number | undefined;
  /** `routable`: addresses of special use are none. */
  readonly addresses?: "routable" | undefined;
  /** Told whenever addresses or state change. */
  readonly onChange: () => void;
  /** Addresses of an answer are left out: of each one. */
  readonly countLeftOut?: (count: number) => void;
  /** Others are left out beside those that are used than before, or none any more. */
  readonly onLeftOut?: (leftOut: readonly LeftOutAddress[]) => void;
};

/** `unknown`: nobody has answered yet. */
export type NameState = "unknown" | "resolved" | UnresolvedName;

/**
 * Bounds of the time between two questions, in milliseconds. A TTL of 0 says that an answer is for one use (RFC 1035 section 3.2.1);
 * asking for each request would make every request wait for DNS.
 */
const SHORTEST = 1000;
const LONGEST = 300_000;
/** Bounds of the time to the next question after one that brought nothing; doubled each time. */
const LONGEST_RETRY = 30_000;
/** So many negative answers in a row (about half a minute) and a name that was known is given up. */
const GIVE_UP_AFTER = 5;

/** One name, watched until closed. */
export class NameWatch {
  readonly hostname: string;
  /** Sorted; the last good ones. */
  addresses: readonly string[] = [];
  state: NameState = "unknown";
  readonly #options: NameWatchOptions;
  #failures = 0;
  #negatives = 0;
  #leftOut = "";
  #cancel: (() => void) | undefined;
  #isClosed = false;

  /** Asks at once. */
  constructor(hostname: string, options: NameWatchOptions) {
    this.hostname = hostname;
    this.#options = options;
    void this.#ask();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  async #ask(): Promise<void> {
    const { resolver, family, addresses } = this.#options;
    const answer = await resolver.resolve(this.hostname, family);
    if (this.#isClosed) return;
    const judged = addresses === "routable" ? keepRoutable(answer) : keepAll(answer);
    const { answer: outcome } = judged;
    this.#noteLeftOut(judged);
    const pause = "kind" in outcome ? this.#onUnresolved(outcome) : this.#onResolved(outcome);
    if (pause === Infinity) return;
    // Up to a tenth less, so that many names and workers do not ask in step.
    this.#cancel = this.#options.schedule(pause * (1 - this.#options.random() / 10), () => void this.#ask());
  }

  #onResolved({ addresses, ttl }: ResolvedName): number {
    this.#failures = 0;
    this.#negatives = 0;
    const sorted = [...addresses].sort();
    const isSame = this.state === "resolved" && sorted.join() === this.addresses.join();
    this.addresses = sorted;
    this.state = "resolved";
    if (!isSame) this.#options.onChange();
    if (ttl === Infinity) return ttl;
    const { refresh } = this.#options;
    return refresh === undefined ? Math.min(Math.max(ttl * 1000, SHORTEST), LONGEST) : Math.max(refresh, SHORTEST);
  }

  /** Where nothing is left, that is the state of the name, and told as such. */
  #noteLeftOut({ answer, leftOut }: JudgedAnswer): void {
    if (leftOut.length > 0) this.#options.countLeftOut?.(leftOut.length);
    if ("kind" in answer) return;
    const text = leftOut.map(({ address }) => address).join();
    if (text === this.#leftOut) return;
    this.#leftOut = text;
    this.#options.onLeftOut?.(leftOut);
  }

  #onUnresolved(outcome: UnresolvedName): number {
    this.#negatives = outcome.kind === "negative" ? this.#negatives + 1 : 0;
    const isGivenUp = this.#negatives >= GIVE_UP_AFTER && this.addresses.length > 0;
    const isNews = isGivenUp || toText(this.state) !== toText(outcome);
    if (isGivenUp) this.addresses = [];
    this.state = outcome;
    if (isNews) this.#options.onChange();
    return Math.min(SHORTEST * 2 ** this.#failures++, LONGEST_RETRY);
  }
}

function toText(state: NameState): string {
  return typeof state === "string" ? state : `${state.kind} ${state.detail}`;
}
