/**
 * Makes what proxies are made of and keeps it so: objects are applied when the plan changes and when somebody changes or deletes
 * them, and deleted when no plan has them. For the leader.
 */
import type { KubeApi } from "../api/contract.ts";
import type { Snapshot } from "@sallyport/model/snapshot";
import type { Provisioner } from "../run/contract.ts";
import type { ControllerLog } from "../run/log.ts";
import type { ProxyObstacle } from "../translate/translator.ts";
import type { IndexedWorld } from "../world/indexed-world.ts";
import { GroupWork } from "./group-work.ts";
import { openLiveObjects, toLiveObject, type LiveObjects, type RawObject } from "./live-objects.ts";
import { keyOf, toKeyText, type ManifestKey } from "./manifest.ts";
import { ObjectWriter } from "./object-writer.ts";
import { planProxies, type PlanFacts, type ProxyPlan } from "./plan.ts";

/** What provisioning depends on besides the world. */
export interface ProvisionerOptions extends Omit<PlanFacts, "caCertificate"> {
  /** PEM; asked for at every reconcile, for authorities are renewed. */
  readonly caCertificate: () => string;
  readonly log: ControllerLog;
}

/** Opens a provisioner; it begins to work once it has seen what there is and knows what there should be. */
export function openProvisioner(api: KubeApi, options: ProvisionerOptions): Provisioner {
  return new ProxyProvisioner(api, options);
}

/** Groups that are worked on at once. */
const CONCURRENCY = 8;

class ProxyProvisioner implements Provisioner {
  readonly #options: ProvisionerOptions;
  readonly #closing = new AbortController();
  readonly #live: LiveObjects;
  readonly #writer: ObjectWriter;
  readonly #groups = new Map<string, GroupWork>();
  /** Whose an object is: by its name in a plan, and by the uid of its owner. */
  readonly #groupByObject = new Map<string, string>();
  readonly #groupByOwner = new Map<string, string>();
  readonly #waiting = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #listeners = new Set<() => void>();
  readonly #told = new Map<string, string>();
  #isSynced = false;

  constructor(api: KubeApi, options: ProvisionerOptions) {
    this.#options = options;
    this.#writer = new ObjectWriter(api, this.#closing.signal);
    this.#live = openLiveObjects(api, {
      log: options.log,
      onChange: (key, object) => {
        this.#observe(key, object);
      },
    });
    void this.#live.synced.then(() => {
      this.#isSynced = true;
      this.#start();
    });
  }

  reconcile(world: IndexedWorld, slices: ReadonlyMap<string, Snapshot>): void {
    if (this.#closing.signal.aborted) return;
    const plans = planProxies(world, slices, { ...this.#options, caCertificate: this.#options.caCertificate() });
    const gone = new Set(this.#groups.keys());
    for (const plan of plans) {
      gone.delete(plan.group);
      this.#follow(plan);
    }
    for (const group of gone) this.#drop(group);
    this.#start();
  }

  failuresOf(group: string): readonly ProxyObstacle[] {
    return this.#groups.get(group)?.failures ?? [];
  }

  onFailure(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#waiting.clear();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await this.#live.close();
    await Promise.all(this.#running.values());
  }

  #follow(plan: ProxyPlan): void {
    const { group } = plan;
    const known = this.#groups.get(group);
    if (known?.follow(plan) === false) return;
    if (known === undefined) this.#groups.set(group, this.#openGroup(plan));
    for (const manifest of plan.manifests) this.#groupByObject.set(toKeyText(keyOf(manifest)), group);
    for (const owner of plan.owners) this.#groupByOwner.set(owner, group);
    this.#waiting.add(group);
  }

  #openGroup(plan: ProxyPlan): GroupWork {
    return new GroupWork(plan, {
      controllerName: this.#options.controllerName,
      live: this.#live,
      writer: this.#writer,
      log: this.#options.log,
      signal: this.#closing.signal,
      now: () => performance.now(),
      random: Math.random,
    });
  }

  /** A group without a plan: its owner is gone, and its objects go with that. */
  #drop(group: string): void {
    this.#groups.delete(group);
    this.#waiting.delete(group);
    this.#told.delete(group);
    clearTimeout(this.#timers.get(group));
    this.#timers.delete(group);
    for (const [text, of] of this.#groupByObject) if (of === group) this.#groupByObject.delete(text);
    for (const [owner, of] of this.#groupByOwner) if (of === group) this.#groupByOwner.delete(owner);
  }

  #observe(key: ManifestKey, object: RawObject | undefined): void {
    const owners = object === undefined ? [] : toLiveObject(key, object).owners;
    const groups = new Set([
      this.#groupByObject.get(toKeyText(key)),
      ...owners.map((owner) => this.#groupByOwner.get(owner)),
    ]);
    for (const group of groups) {
      if (group === undefined) continue;
      if (this.#groups.get(group)?.observe(key, object) === true) this.#waiting.add(group);
      if (key.kind === "Deployment") this.#tell(group);
    }
    this.#start();
  }

  /** Begins what is waiting, as far as there is room; a group that is worked on goes on waiting. */
  #start(): void {
    if (!this.#isSynced || this.#closing.signal.aborted) return;
    for (const group of this.#waiting) {
      if (this.#running.size >= CONCURRENCY) return;
      if (this.#running.has(group)) continue;
      this.#waiting.delete(group);
      this.#running.set(group, this.#run(group));
    }
  }

  async #run(group: string): Promise<void> {
    const work = this.#groups.get(group);
    clearTimeout(this.#timers.get(group));
    this.#timers.delete(group);
    const wait = await work?.run();
    this.#running.delete(group);
    if (this.#closing.signal.aborted) return;
    this.#tell(group);
    if (wait !== undefined && this.#groups.get(group) === work) this.#timers.set(group, this.#wakeAfter(group, wait));
    this.#start();
  }

  #wakeAfter(group: string, wait: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timers.delete(group);
      this.#waiting.add(group);
      this.#start();
    }, wait);
  }

  #tell(group: string): void {
    const failures = this.failuresOf(group);
    const text = JSON.stringify(failures);
    const before = this.#told.get(group) ?? "[]";
    if (text === before) return;
    this.#told.set(group, text);
    for (const { reason, message } of failures) {
      if (reason !== "Pending" || before.includes(JSON.stringify(message))) continue;
      this.#options.log.warn("proxies do not come up", { group, reason: message });
    }
    for (const listener of this.#listeners) listener();
  }
}
