/**
 * What one proxy has, what it should have, and what to send it next: a state machine without I/O. One change is under way at a
 * time; whatever is published meanwhile becomes the next one, so nothing queues up for a slow proxy.
 */
import type { ChangePart } from "@sallyport/model/distribution";
import { type Difference, toChangeParts } from "./change-parts.ts";
import type { VersionedSlice } from "./versioned-slice.ts";

/** The parts of a change, made as they are asked for. */
export type Parts = Iterator<Uint8Array, void>;

interface Flight {
  readonly nonce: number;
  readonly target: VersionedSlice;
}

/** Longest text of a refusal that is kept, and how many. */
const LONGEST_REASON = 500;
const MOST_REASONS = 10;

/** One proxy. */
export class ProxyState {
  /** Versions by id that it has acknowledged, or said it had. */
  #held: ReadonlyMap<string, string>;
  #wanted: VersionedSlice | undefined;
  #flight: Flight | undefined;
  #refused: VersionedSlice | undefined;
  #reasons: readonly string[] = [];
  #nonce = 0;
  /** The first change is sent even if it is empty: by it the proxy knows that it has everything. */
  #isGreeted = false;

  constructor(held: ReadonlyMap<string, string>) {
    this.#held = held.size === 0 ? NOTHING_HELD : held;
  }

  /** True where it is known to have what it should have. */
  get isCurrent(): boolean {
    return this.#isGreeted && this.#wanted !== undefined && this.#held === this.#wanted.versions;
  }

  /** Why it could not take what it was sent last; empty where it could. */
  get reasons(): readonly string[] {
    return this.#reasons;
  }

  /** True while an answer is due. */
  get isAsked(): boolean {
    return this.#flight !== undefined;
  }

  /** Sets what it should have. Undefined: nobody knows, it keeps what it has. */
  want(slice: VersionedSlice | undefined): void {
    this.#wanted = slice;
  }

  /** The change to send now, or undefined. All of it must be sent before anything else. */
  next(): Parts | undefined {
    const target = this.#wanted;
    if (target === undefined || this.#flight !== undefined || target === this.#refused) return undefined;
    if (this.#isGreeted && this.#held === target.versions) return undefined;
    const difference = recallDifference(this.#held, target.versions);
    if (this.#isGreeted && difference.upserted.length === 0 && difference.removed.length === 0) {
      this.#held = target.versions;
      this.#forgive();
      return undefined;
    }
    this.#nonce++;
    this.#flight = { nonce: this.#nonce, target };
    return toChangeParts(this.#nonce, target, difference);
  }

  /** Takes an answer; false where it answers nothing that was asked. */
  answer(nonce: ChangePart["nonce"], problems: readonly string[] | undefined): boolean {
    const flight = this.#flight;
    if (flight?.nonce !== nonce) return false;
    this.#flight = undefined;
    if (problems === undefined) {
      this.#held = flight.target.versions;
      this.#isGreeted = true;
      this.#forgive();
    } else {
      this.#refused = flight.target;
      this.#reasons = toReasons(problems);
    }
    return true;
  }

  #forgive(): void {
    this.#refused = undefined;
    this.#reasons = [];
  }
}

/** What a proxy holds that says it holds nothing; the same for all, so that they are sent the same. */
const NOTHING_HELD: ReadonlyMap<string, string> = new Map();

/** By what is held: a hundred proxies of a group hold the very same versions, and are to have the same. */
const differences = new WeakMap<
  ReadonlyMap<string, string>,
  { readonly wanted: WeakRef<ReadonlyMap<string, string>>; readonly difference: Difference }
>();

function recallDifference(held: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>): Difference {
  const known = differences.get(held);
  if (known?.wanted.deref() === wanted) return known.difference;
  const difference = diff(held, wanted);
  differences.set(held, { wanted: new WeakRef(wanted), difference });
  return difference;
}

function diff(held: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>): Difference {
  const upserted: string[] = [];
  const removed: string[] = [];
  for (const [id, version] of wanted) if (held.get(id) !== version) upserted.push(id);
  for (const id of held.keys()) if (!wanted.has(id)) removed.push(id);
  return { upserted, removed };
}

function toReasons(problems: readonly string[]): readonly string[] {
  const reasons = problems.slice(0, MOST_REASONS).map((problem) => problem.slice(0, LONGEST_REASON));
  return reasons.length > 0 ? [...new Set(reasons)] : ["the proxy did not say why"];
}
