/**
 * Who leads, by a Lease (coordination.k8s.io/v1), as client-go elects leaders; without I/O. Clocks of candidates are never
 * compared: a candidate takes over when it has seen no renewal for the whole lease by its own clock, and a leader stops
 * believing in itself sooner, counted from before it sent its last renewal. As long as no clock runs faster than another by
 * more than `leaseDuration / renewDeadline`, there are never two.
 */
import { isRecord } from "../kube/field-path.ts";

/** Times of an election, in milliseconds. */
export interface LeaseTimes {
  /** Without a renewal for so long the lease is free. Whole seconds. */
  readonly leaseDuration: number;
  /** A leader that could not renew for so long gives up. */
  readonly renewDeadline: number;
  /** Between attempts. */
  readonly retryPeriod: number;
}

/** As client-go. */
export const defaultLeaseTimes: LeaseTimes = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2000 };

/** `spec` of a Lease as we write it. */
export interface LeaseSpec {
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  /** MicroTime; for people, nobody reckons with it. */
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly leaseTransitions: number;
}

/** What to do next. `replace` is to fail if the Lease is not the version it names. */
export type ElectionStep =
  | { readonly do: "read" }
  | { readonly do: "create"; readonly spec: LeaseSpec }
  | { readonly do: "replace"; readonly spec: LeaseSpec; readonly resourceVersion: string }
  | { readonly do: "wait"; readonly millis: number };

/** What became of a step other than `wait`. */
export type ElectionResult =
  /** The Lease as it is now. */
  | { readonly is: "lease"; readonly lease: Readonly<Record<string, unknown>> }
  | { readonly is: "absent" }
  /** It was changed or made by another. */
  | { readonly is: "conflict" }
  /** Nobody knows. */
  | { readonly is: "failed" };

/** Times of now. */
export interface ElectionClock {
  /** Milliseconds of a clock that never goes back; only this one is reckoned with. */
  readonly now: number;
  /** Milliseconds since 1970, for what people read. */
  readonly wall: number;
}

interface Observed {
  readonly resourceVersion: string;
  readonly holder: string;
  readonly duration: number;
  readonly transitions: number;
  readonly acquireTime: string;
  /** Since when it has been so, by our clock. */
  readonly since: number;
}

/** One candidate. Ask `next`, do it, tell `take` what came of it, ask again. */
export class Election {
  readonly #identity: string;
  readonly #times: LeaseTimes;
  readonly #random: () => number;
  #observed: Observed | undefined;
  /** Until when we lead, by our clock, if nothing more succeeds. */
  #leadsUntil = Number.NEGATIVE_INFINITY;
  #isAbsent = false;
  #wait = 0;
  #mustRead = true;
  #sent: { readonly step: ElectionStep; readonly at: number } | undefined;

  /** `random` yields numbers from 0 up to 1. */
  constructor(identity: string, times: LeaseTimes, random: () => number) {
    this.#identity = identity;
    this.#times = times;
    this.#random = random;
  }

  /** Whether we lead at the time. */
  isLeader(now: number): boolean {
    return now < this.#leadsUntil;
  }

  /** Until when we lead if nothing more succeeds. */
  get leadsUntil(): number {
    return this.#leadsUntil;
  }

  /** Who holds the lease as far as we know; "" for nobody. */
  get holder(): string {
    return this.#observed?.holder ?? "";
  }

  /** What to do next. */
  next(clock: ElectionClock): ElectionStep {
    const step = this.#choose(clock);
    this.#sent = { step, at: clock.now };
    return step;
  }

  /** Takes in what became of the step, at the time it became known. */
  take(result: ElectionResult, now: number): void {
    const sent = this.#sent;
    if (sent === undefined) return;
    this.#sent = undefined;
    const isWrite = sent.step.do === "create" || sent.step.do === "replace";
    if (result.is === "lease") this.#observe(result.lease, now);
    this.#isAbsent = result.is === "absent" && sent.step.do === "read";
    if (result.is === "lease" && isWrite) {
      this.#leadsUntil = sent.at + this.#times.renewDeadline;
      this.#wait = this.#times.retryPeriod;
      this.#mustRead = false;
      return;
    }
    this.#planAfter(result, isWrite, now);
  }

  /** Stops leading now. The step that tells the others, so that they need not wait; undefined if we did not lead. */
  release({ now, wall }: ElectionClock): ElectionStep | undefined {
    const observed = this.#observed;
    const isOurs = this.isLeader(now) && observed !== undefined && observed.holder === this.#identity;
    this.#leadsUntil = Number.NEGATIVE_INFINITY;
    if (!isOurs) return undefined;
    const spec = { ...this.#toSpec(observed, wall), holderIdentity: "", leaseDurationSeconds: 1 };
    return { do: "replace", spec, resourceVersion: observed.resourceVersion };
  }

  #choose({ now, wall }: ElectionClock): ElectionStep {
    if (this.#wait > 0) {
      const millis = this.#wait;
      this.#wait = 0;
      return { do: "wait", millis };
    }
    if (this.#isAbsent) return { do: "create", spec: this.#toSpec(undefined, wall) };
    const observed = this.#observed;
    if (this.#mustRead || observed === undefined || !this.#mayTake(now)) return { do: "read" };
    return { do: "replace", spec: this.#toSpec(observed, wall), resourceVersion: observed.resourceVersion };
  }

  /** Whoever could not write has to see why; what was read decides what is next. */
  #planAfter(result: ElectionResult, isWrite: boolean, now: number): void {
    const mayGoOn = this.#isAbsent || (result.is === "lease" && this.#mayTake(now));
    this.#mustRead = isWrite || !mayGoOn;
    if (!mayGoOn && result.is !== "conflict") this.#wait = this.#toRetry();
  }

  #mayTake(now: number): boolean {
    if (this.#observed === undefined) return false;
    const { holder, since, duration } = this.#observed;
    return holder === "" || holder === this.#identity || now - since >= Math.max(duration, this.#times.leaseDuration);
  }

  #observe(lease: Readonly<Record<string, unknown>>, now: number): void {
    const metadata = isRecord(lease["metadata"]) ? lease["metadata"] : {};
    const spec = isRecord(lease["spec"]) ? lease["spec"] : {};
    const resourceVersion = String(metadata["resourceVersion"]);
    if (resourceVersion === this.#observed?.resourceVersion) return;
    const { holderIdentity: holder, leaseDurationSeconds: seconds, leaseTransitions: transitions, acquireTime } = spec;
    this.#observed = {
      resourceVersion,
      holder: typeof holder === "string" ? holder : "",
      duration: typeof seconds === "number" ? seconds * 1000 : 0,
      transitions: typeof transitions === "number" ? transitions : 0,
      acquireTime: typeof acquireTime === "string" ? acquireTime : "",
      since: now,
    };
    if (this.#observed.holder !== this.#identity) this.#leadsUntil = Number.NEGATIVE_INFINITY;
  }

  #toSpec(observed: Observed | undefined, wall: number): LeaseSpec {
    const time = toMicroTime(wall);
    const isRenewal = observed?.holder === this.#identity && observed.acquireTime !== "";
    const transitions = observed === undefined ? 0 : observed.transitions + (isRenewal ? 0 : 1);
    return {
      holderIdentity: this.#identity,
      leaseDurationSeconds: this.#times.leaseDuration / 1000,
      acquireTime: isRenewal ? observed.acquireTime : time,
      renewTime: time,
      leaseTransitions: transitions,
    };
  }

  /** Candidates that ask at the same moment would do so for ever. */
  #toRetry(): number {
    return Math.round(this.#times.retryPeriod * (1 + this.#random() / 5));
  }
}

/** As Kubernetes writes it: `2026-01-31T12:00:00.000000Z`. */
function toMicroTime(wall: number): string {
  return new Date(wall).toISOString().replace("Z", "000Z");
}
