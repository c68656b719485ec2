/** What is known of one object between its applies: what was applied, whether somebody changed it since, when to try again. */
import { BackOff } from "@sallyport/model/back-off";
import type { RawObject } from "./live-objects.ts";
import type { Manifest } from "./manifest.ts";
import { hashManifest, hashProjection } from "./projection.ts";

/** Milliseconds. Quotas are raised and objects out of the way by people, in minutes. */
const FAILURE_WAITS = { first: 500, longest: 60_000 };
/** Of somebody who changes back what we change back, forever. */
const DRIFT_WAITS = { first: 1000, longest: 60_000 };
/** Milliseconds after which a change by somebody else is no continuation of the last one. */
const DRIFT_MEMORY = 300_000;

/** One object. Times are milliseconds of a clock that does not go back. */
export class ObjectState {
  readonly #now: () => number;
  readonly #failures: BackOff;
  readonly #drifts: BackOff;
  #applied: { readonly manifest: Manifest; readonly print: string } | undefined;
  #isDrifted = false;
  #isGone = false;
  #hasFailed = false;
  #lastDrift = Number.NEGATIVE_INFINITY;
  /** What the watch told last since an apply began. */
  #seen: RawObject | undefined;
  /** Before it nothing is tried. */
  #notBefore = 0;

  constructor(now: () => number, random: () => number) {
    this.#now = now;
    this.#failures = new BackOff(FAILURE_WAITS, random);
    this.#drifts = new BackOff(DRIFT_WAITS, random);
  }

  /** Whether nothing is to be tried yet. */
  get isWaiting(): boolean {
    return this.#notBefore > this.#now();
  }

  /** When there will be something to try; undefined: not before somebody changes something. */
  get wakeAt(): number | undefined {
    return this.#hasFailed || this.#isDrifted || this.#isGone ? this.#notBefore : undefined;
  }

  /** Whether the object is, as far as we know, what the manifest says. */
  isSettled(manifest: Manifest): boolean {
    const applied = this.#applied;
    return applied !== undefined && !this.#isDrifted && hashManifest(applied.manifest) === hashManifest(manifest);
  }

  /** An apply begins. */
  begin(): void {
    this.#seen = undefined;
  }

  /** An apply came back with `object`; `isLatest`: the watch has not told of anything after it. */
  succeed(manifest: Manifest, object: RawObject, isLatest: boolean): void {
    const print = hashProjection(object, manifest);
    this.#applied = { manifest, print };
    this.#failures.reset();
    this.rest();
    if (!isLatest && this.#seen !== undefined) this.observe(this.#seen);
  }

  /** An attempt failed, or is not allowed. `wished`: what the server asks to wait, in milliseconds. */
  fail(wished: number | undefined): void {
    this.#hasFailed = true;
    this.#notBefore = this.#now() + this.#failures.fail(wished);
  }

  /** There is nothing to try until somebody changes something. */
  rest(): void {
    this.#hasFailed = false;
    this.#isDrifted = false;
    this.#isGone = false;
    this.#notBefore = 0;
  }

  /** Something changed that may be why it failed: it may be tried at once. */
  relent(): void {
    this.#failures.reset();
    this.#notBefore = 0;
  }

  /** The watch told of the object. Whether it is not what was applied (any more). */
  observe(object: RawObject): boolean {
    this.#seen = object;
    const applied = this.#applied;
    if (applied === undefined) return false;
    const isDrifted = hashProjection(object, applied.manifest) !== applied.print;
    if (isDrifted && !this.#isDrifted) this.#countDrift();
    this.#isDrifted = isDrifted;
    return isDrifted;
  }

  /** The object is gone. */
  forget(): void {
    this.#applied = undefined;
    this.#seen = undefined;
    this.#isGone = true;
    this.#countDrift();
  }

  /** The first change is undone at once, the next ones ever later. */
  #countDrift(): void {
    const now = this.#now();
    if (now - this.#lastDrift > DRIFT_MEMORY) this.#drifts.reset();
    this.#lastDrift = now;
    const isFirst = this.#drifts.failures === 0;
    const wait = this.#drifts.fail();
    if (!isFirst) this.#notBefore = Math.max(this.#notBefore, now + wait);
  }
}
