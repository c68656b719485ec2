/**
 * Which endpoints of a cluster are fit: ejects those that fail requests, checks those that are to be checked, and has the cluster choose
 * anew when one of them, seen by whichever worker, is fitter or less fit than before.
 */
import { type Cluster, DEFAULT_HTTP2_CLIENT_OPTIONS } from "@sallyport/model/cluster";
import type { HealthCheck } from "@sallyport/model/traffic";
import { EndpointWords, TIME, TOTAL, VERDICT, WORD } from "../../observe/health-words.ts";
import { NO_SLOT } from "../../observe/contract.ts";
import type { EndpointState, UpstreamTlsSettings } from "../contract.ts";
import type { EndpointHost } from "../endpoint-host.ts";
import { Checker } from "./checker.ts";
import type { ProbeResult } from "./contract.ts";
import { EndpointHealth, type EndpointHealthOwner } from "./endpoint-health.ts";
import type { HealthWatch, WatchedCluster } from "./health-watch.ts";
import { eject, type Ejection, isEjected, takeBack } from "./outlier.ts";
import { CAUSES, compileOutlierRules, type OutlierRule, type OutlierRules } from "./outlier-rules.ts";
import { noteCheck } from "./verdict.ts";

/** The cluster. */
export interface HealthOwner {
  readonly key: string;
  /** Some endpoints are fitter or less fit: chooses anew. */
  refresh(): void;
}

const OUTCOMES = {
  passed: TOTAL.checksPassed,
  failed: TOTAL.checksFailed,
  "timed-out": TOTAL.checksTimedOut,
} as const satisfies Record<ProbeResult["outcome"], number>;

const ROWS = [WORD.serverErrors, WORD.gatewayErrors, WORD.localErrors] as const;

/** The health of one cluster's endpoints. */
export class ClusterHealth implements EndpointHealthOwner, WatchedCluster {
  rules: OutlierRules | undefined = undefined;
  nextReturn = Number.POSITIVE_INFINITY;
  readonly #watch: HealthWatch;
  readonly #hosts: Iterable<EndpointHost>;
  readonly #owner: HealthOwner;
  #config: Cluster | undefined = undefined;
  #tls: UpstreamTlsSettings | undefined = undefined;
  #isStopped = false;

  /** `hosts`: those of the cluster, as they are at any time. */
  constructor(watch: HealthWatch, hosts: Iterable<EndpointHost>, owner: HealthOwner) {
    this.#watch = watch;
    this.#hosts = hosts;
    this.#owner = owner;
  }

  /** Takes over what is configured. */
  update(config: Cluster, tls: UpstreamTlsSettings | undefined): void {
    const before = this.#config;
    this.#config = config;
    this.#tls = tls;
    const { outlierDetection, healthCheck } = config;
    if (outlierDetection !== before?.outlierDetection)
      this.rules = outlierDetection === undefined ? undefined : compileOutlierRules(outlierDetection);
    if (outlierDetection === undefined && before?.outlierDetection !== undefined) this.#forgetEjections();
    if (healthCheck === undefined && before?.healthCheck !== undefined) this.#forgetVerdicts();
    if (outlierDetection !== undefined || healthCheck !== undefined) this.#watch.add(this);
    else this.#watch.remove(this);
    this.follow();
  }

  /** The endpoints are others. */
  follow(): void {
    const isWatched = this.rules !== undefined || this.#check !== undefined;
    for (const host of this.#hosts) {
      if (host.state === "removed") host.health?.leaveCheck();
      else if (isWatched) host.health ??= this.#attach(host);
    }
    this.read();
  }

  /** Nobody chooses among them any more. How requests end that are still on them is counted, but others check them. */
  stop(): void {
    this.#isStopped = true;
    this.#watch.remove(this);
    for (const { health } of this.#hosts) health?.leaveCheck();
  }

  read(): void {
    const now = this.#watch.options.clock();
    this.nextReturn = Number.POSITIVE_INFINITY;
    let hasChanged = false;
    for (const host of this.#hosts) {
      const { health } = host;
      if (health === undefined) continue;
      if (this.rules !== undefined && takeBack(health.words, now)) this.#tellReturn(host.label);
      const fitness = this.#judge(health.words, now);
      if (fitness === "ejected") this.nextReturn = Math.min(this.nextReturn, health.words.time(TIME.ejectedUntil));
      if (fitness !== host.fitness) {
        host.fitness = fitness;
        host.fitSince = this.#toFitSince(health.words, now);
        hasChanged = true;
      }
      if (this.#check !== undefined && host.state !== "removed") this.#see(health);
    }
    if (hasChanged) this.#owner.refresh();
  }

  get key(): string {
    return this.#owner.key;
  }

  now(): number {
    return this.#watch.options.clock();
  }

  onCheckLeft(): void {
    this.#watch.options.shared.noteChange();
  }

  onReached(health: EndpointHealth, rule: OutlierRule): void {
    const { rules } = this;
    if (rules === undefined) return;
    const { clock, shared } = this.#watch.options;
    const outcome: { ejection: Ejection } = { ejection: { kind: "late" } };
    shared.exclusively(() => {
      const now = clock();
      outcome.ejection = eject(health.words, rules, { rule, peers: this.#countPeers(now), now });
    });
    const { ejection } = outcome;
    const { label } = health.host;
    const fields = { cluster: this.#owner.key, endpoint: label, cause: rule.cause, inARow: rule.threshold };
    if (ejection.kind === "prevented") {
      shared.count(TOTAL.ejectionsPrevented);
      this.#watch.messages.say("endpoint should be ejected, but too many are", fields);
    } else if (ejection.kind === "ejected") {
      shared.count(CAUSES[rule.cause].total);
      shared.noteChange();
      const times = health.words.get(WORD.timesEjected);
      this.#watch.messages.say("endpoint ejected", { ...fields, forMs: ejection.time, times });
      this.read();
    }
  }

  get #check(): HealthCheck | undefined {
    return this.#config?.healthCheck;
  }

  #attach(host: EndpointHost): EndpointHealth {
    const { clock, shared, worker } = this.#watch.options;
    const words = host.slot === NO_SLOT ? new EndpointWords() : shared.words(host.slot);
    host.fitSince = this.#toFitSince(words, clock());
    return new EndpointHealth(host, words, this, worker);
  }

  #judge(words: EndpointWords, now: number): EndpointState {
    if (this.rules !== undefined && isEjected(words, now)) return "ejected";
    if (this.#check === undefined) return "fit";
    const verdict = words.get(WORD.verdict);
    if (verdict === VERDICT.unchecked) return "unchecked";
    return verdict === VERDICT.healthy ? "fit" : "unhealthy";
  }

  /** As the clock of this worker's cluster. */
  #toFitSince(words: EndpointWords, now: number): number {
    const since = words.time(TIME.fitSince);
    return since === 0 ? Number.NEGATIVE_INFINITY : this.#watch.options.now() - (now - since);
  }

  #countPeers(now: number): { readonly all: number; readonly ejected: number } {
    let all = 0;
    let ejected = 0;
    for (const { health, state } of this.#hosts) {
      if (state === "removed") continue;
      all++;
      if (health !== undefined && isEjected(health.words, now)) ejected++;
    }
    return { all, ejected };
  }

  #tellReturn(label: string): void {
    this.#watch.options.shared.noteChange();
    this.#watch.messages.say("endpoint is back after its ejection", { cluster: this.#owner.key, endpoint: label });
  }

  /** Sees to it that somebody checks the endpoint. */
  #see(health: EndpointHealth): void {
    if (this.#isStopped || health.checker !== undefined || !health.takeCheck()) return;
    health.checker = new Checker(this.#watch.slotsOf(this), this.#watch.options.schedule, {
      begin: (done) => this.#probe(health, done),
      judge: (result) => this.#take(health, result),
    });
  }

  #probe({ host }: EndpointHealth, done: (result: ProbeResult) => void): () => void {
    const { probe } = this.#watch.options;
    const config = this.#config;
    const check = config?.healthCheck;
    if (config === undefined || check === undefined) return () => undefined;
    const { key: cluster, protocol, proxyProtocol, http2 = DEFAULT_HTTP2_CLIENT_OPTIONS } = config;
    const target = {
      cluster,
      address: host.address,
      port: check.port ?? host.port,
      tls: this.#tls,
      protocol,
      proxyProtocol,
      http2,
    };
    return probe({ ...target, probe: check.probe, timeout: check.timeout }, done);
  }

  /** Takes note of a check. Milliseconds until the next. */
  #take(health: EndpointHealth, { outcome, detail }: ProbeResult): number {
    const check = this.#check;
    const { clock, random, shared } = this.#watch.options;
    shared.count(OUTCOMES[outcome]);
    if (check === undefined) return 0;
    const change = noteCheck(health.words, outcome, check, clock());
    if (change !== undefined) this.#tellVerdict(health.host.label, change, detail);
    const { interval, unhealthyInterval } = check;
    const pause = health.words.get(WORD.verdict) === VERDICT.healthy ? interval : unhealthyInterval;
    return pause * (1 - random() / 10);
  }

  #tellVerdict(label: string, verdict: "healthy" | "unhealthy", detail: string): void {
    const fields = { cluster: this.#owner.key, endpoint: label };
    if (verdict === "healthy") this.#watch.messages.say("endpoint is healthy", fields);
    else this.#watch.messages.say("endpoint is unhealthy: its health check fails", { ...fields, reason: detail });
    this.#watch.options.shared.noteChange();
    this.read();
  }

  #forgetEjections(): void {
    for (const { health } of this.#hosts) {
      health?.words.set(WORD.ejected, 0);
      for (const word of ROWS) health?.words.set(word, 0);
    }
  }

  #forgetVerdicts(): void {
    for (const { health } of this.#hosts) {
      health?.leaveCheck();
      health?.words.set(WORD.verdict, VERDICT.unchecked);
      health?.words.set(WORD.streak, 0);
    }
  }
}
