/** Runs for leader among the replicas of a controller. */
import { setTimeout as delay } from "node:timers/promises";
import { ApiFailure } from "../api/contract.ts";
import type { ApiRequest, KubeApi } from "../api/contract.ts";
import type { ApiLog } from "../api/log.ts";
import { defaultLeaseTimes, Election } from "./election.ts";
import type { ElectionClock, ElectionResult, ElectionStep, LeaseTimes } from "./election.ts";

/** What is run for, and as whom. */
export interface CampaignOptions {
  /** Where the Lease is, and its name. */
  readonly namespace: string;
  readonly name: string;
  /** Tells candidates apart: the pod's name. One that starts again under the same name goes on as leader. */
  readonly identity: string;
  readonly times?: LeaseTimes;
  readonly log?: ApiLog;
}

/** A candidate that runs. */
export interface Campaign {
  /** Whether we lead at this very moment. To be asked before everything that only a leader does. */
  readonly isLeader: boolean;
  /** `listener` is called after each change of `isLeader`. Returns what stops it. */
  onChange(listener: () => void): () => void;
  /** Stops leading, and then hands the Lease over so that another leads at once. */
  close(): Promise<void>;
}

/** Most of the time that one request may take, as part of the time in which a leader has to renew: there is time for another. */
const requestShare = 0.5;

/** Runs until closed. Failures are logged and waited for. */
export function campaign(api: KubeApi, options: CampaignOptions): Campaign {
  return new Candidate(api, options);
}

class Candidate implements Campaign {
  readonly #api: KubeApi;
  readonly #options: CampaignOptions;
  readonly #times: LeaseTimes;
  readonly #election: Election;
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  readonly #done: Promise<void>;
  #wasLeader = false;
  #failures = 0;
  #expiry: NodeJS.Timeout | undefined;

  constructor(api: KubeApi, options: CampaignOptions) {
    this.#api = api;
    this.#options = options;
    this.#times = options.times ?? defaultLeaseTimes;
    this.#election = new Election(options.identity, this.#times, Math.random);
    this.#done = this.#run();
  }

  get isLeader(): boolean {
    return this.#election.isLeader(performance.now());
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    // What is under way is waited for: it may still change the Lease, and the release would conflict with it.
    this.#closing.abort();
    await this.#done;
    const step = this.#election.release(readClock());
    this.#tell();
    clearTimeout(this.#expiry);
    this.#listeners.clear();
    if (step !== undefined) await this.#attempt(step);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const step = this.#election.next(readClock());
      if (step.do === "wait") await delay(step.millis, undefined, { signal }).catch(() => undefined);
      else {
        this.#election.take(await this.#attempt(step), performance.now());
        this.#tell();
      }
    }
  }

  async #attempt(step: ElectionStep): Promise<ElectionResult> {
    const signal = AbortSignal.timeout(this.#times.renewDeadline * requestShare);
    try {
      const lease = await this.#api.send({ ...this.#toRequest(step), signal, urgent: true });
      this.#failures = 0;
      return { is: "lease", lease };
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      if (error.status === 404 && step.do === "read") return { is: "absent" };
      if (error.status === 409) return { is: "conflict" };
      this.#tellFailure(error);
      return { is: "failed" };
    }
  }

  #toRequest(step: ElectionStep): ApiRequest {
    const { namespace, name } = this.#options;
    const all = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
    const path = `${all}/${name}`;
    const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease" };
    if (step.do === "create")
      return { method: "POST", path: all, body: { ...lease, metadata: { namespace, name }, spec: step.spec } };
    if (step.do !== "replace") return { method: "GET", path };
    const metadata = { namespace, name, resourceVersion: step.resourceVersion };
    return { method: "PUT", path, body: { ...lease, metadata, spec: step.spec } };
  }

  /** Tells listeners if we lead and did not before, or the other way round. */
  #tell(): void {
    clearTimeout(this.#expiry);
    const { isLeader } = this;
    // A leader that hears nothing stops leading by the clock, whatever its requests are doing.
    if (isLeader) this.#expiry = setTimeout(() => this.#tell(), this.#election.leadsUntil - performance.now() + 1);
    if (isLeader === this.#wasLeader) return;
    this.#wasLeader = isLeader;
    const lease = `${this.#options.namespace}/${this.#options.name}`;
    if (isLeader) this.#options.log?.info("leading", { lease, identity: this.#options.identity });
    else if (this.#closing.signal.aborted) this.#options.log?.info("leading no more: shutting down", { lease });
    else this.#options.log?.warn("leading no more", { lease, holder: this.#election.holder });
    for (const listener of this.#listeners) listener();
  }

  #tellFailure(failure: ApiFailure): void {
    this.#failures++;
    if ((this.#failures & (this.#failures - 1)) !== 0) return;
    this.#options.log?.warn("the Lease cannot be read or written; trying again", {
      failures: this.#failures,
      reason: failure.message,
    });
  }
}

function readClock(): ElectionClock {
  return { now: performance.now(), wall: Date.now() };
}
