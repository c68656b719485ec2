/** Brings the objects of one group to what its plan says, one after the other: pods need what stands before them in the plan. */
import { ApiFailure } from "../api/contract.ts";
import type { ControllerLog } from "../run/log.ts";
import type { ProxyObstacle } from "../translate/translator.ts";
import { isManaged, judgeClaim } from "./claim.ts";
import { toLiveObject, type LiveObject, type LiveObjects, type RawObject } from "./live-objects.ts";
import { keyOf, toKeyText, type Manifest, type ManifestKey } from "./manifest.ts";
import type { ObjectWriter } from "./object-writer.ts";
import { ObjectState } from "./object-state.ts";
import type { ProxyPlan } from "./plan.ts";

/** What all groups share. */
export interface GroupContext {
  readonly controllerName: string;
  readonly live: LiveObjects;
  readonly writer: ObjectWriter;
  readonly log: ControllerLog;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly random: () => number;
}

/** One group of proxies. */
export class GroupWork {
  readonly #context: GroupContext;
  readonly #states = new Map<string, ObjectState>();
  readonly #failures = new Map<string, ProxyObstacle>();
  #plan: ProxyPlan;

  constructor(plan: ProxyPlan, context: GroupContext) {
    this.#plan = plan;
    this.#context = context;
  }

  /** What there should be. */
  get plan(): ProxyPlan {
    return this.#plan;
  }

  /** Why some of it is not there, and what keeps pods from coming up. */
  get failures(): readonly ProxyObstacle[] {
    return [...this.#failures.values(), ...this.#stalls()];
  }

  /** Takes another plan. Whether it is another. */
  follow(plan: ProxyPlan): boolean {
    if (plan === this.#plan) return false;
    this.#plan = plan;
    const wanted = new Set(plan.manifests.map((manifest) => toKeyText(keyOf(manifest))));
    for (const text of [...this.#states.keys()]) if (!wanted.has(text)) this.#states.delete(text);
    const isOver = (text: string): boolean => !wanted.has(text) && (text !== plan.group || plan.obstacle === undefined);
    for (const text of [...this.#failures.keys()]) if (isOver(text)) this.#failures.delete(text);
    for (const state of this.#states.values()) state.relent();
    return true;
  }

  /** The watch told of an object of the group. Whether there is something to do. */
  observe(key: ManifestKey, object: RawObject | undefined): boolean {
    const text = toKeyText(key);
    const state = this.#states.get(text);
    if (state === undefined) return true;
    if (object === undefined) {
      // What stood in the way is gone, or what was ours.
      if (this.#failures.has(text)) state.relent();
      state.forget();
      return true;
    }
    return state.observe(object) || this.#failures.has(text);
  }

  /** Does what can be done now. Milliseconds until there may be more to do; undefined: nothing is known of. */
  async run(): Promise<number | undefined> {
    const plan = this.#plan;
    if (plan.extent === "untouched") {
      if (plan.obstacle !== undefined) this.#fail(plan.group, plan.obstacle);
      return undefined;
    }
    for (const manifest of plan.manifests) {
      if (manifest.kind === "Deployment" && this.#lacksGround(plan)) continue;
      await this.#settle(manifest, plan);
      if (this.#context.signal.aborted || this.#plan !== plan) return undefined;
    }
    if (plan.extent === "whole") for (const live of this.#findStale(plan)) await this.#remove(live);
    return this.#findWait();
  }

  /** Pods of ours must not run as somebody else's account, nor trust somebody else's authority. */
  #lacksGround({ manifests }: ProxyPlan): boolean {
    return manifests.some(
      (manifest) =>
        (manifest.kind === "ServiceAccount" || manifest.kind === "ConfigMap") &&
        this.#failures.has(toKeyText(keyOf(manifest))),
    );
  }

  #stalls(): readonly ProxyObstacle[] {
    return this.#plan.manifests.flatMap((manifest) => {
      const key = keyOf(manifest);
      const live = this.#context.live.get(toKeyText(key));
      if (live?.stall === undefined || !live.owners.some((owner) => this.#plan.owners.has(owner))) return [];
      const pods = `kubectl -n ${key.namespace} describe pods -l app.kubernetes.io/instance=${key.name}`;
      const message = `the pods of ${toKeyText(key)} do not come up: ${live.stall}; \`${pods}\` tells more`;
      return [{ reason: "Pending", message }];
    });
  }

  async #settle(manifest: Manifest, plan: ProxyPlan): Promise<void> {
    const { live, controllerName } = this.#context;
    const key = keyOf(manifest);
    const text = toKeyText(key);
    const state = this.#stateOf(text);
    const known = live.get(text);
    if ((known === undefined && plan.extent === "standing") || (known !== undefined && state.isSettled(manifest))) {
      this.#failures.delete(text);
      return state.rest();
    }
    if (state.isWaiting) return;
    await this.#attempt(text, state, async () => {
      const found = known ?? (await this.#find(key));
      const claim = found === undefined ? OURS : judgeClaim(found, { owners: plan.owners, controllerName });
      if (claim.kind === "foreign") return this.#refuse(text, state, claim.message);
      // Its end will be told.
      if (claim.kind === "ending") return state.rest();
      await this.#apply(manifest, state);
      this.#failures.delete(text);
    });
  }

  async #find(key: ManifestKey): Promise<LiveObject | undefined> {
    const object = await this.#context.writer.read(key);
    return object === undefined ? undefined : toLiveObject(key, object);
  }

  async #apply(manifest: Manifest, state: ObjectState): Promise<void> {
    const { writer, live, log } = this.#context;
    const key = keyOf(manifest);
    state.begin();
    const object = await writer.apply(manifest);
    state.succeed(manifest, object, live.note(key, object));
    log.info("object for proxies applied", { object: toKeyText(key), group: this.#plan.group });
  }

  async #remove({ key, uid }: LiveObject): Promise<void> {
    const { writer, log } = this.#context;
    const text = toKeyText(key);
    const state = this.#stateOf(text);
    if (state.isWaiting) return;
    await this.#attempt(text, state, async () => {
      await writer.delete(key, uid);
      this.#states.delete(text);
      this.#failures.delete(text);
      log.info("object deleted that proxies no longer need", { object: text, group: this.#plan.group });
    });
  }

  async #attempt(text: string, state: ObjectState, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      if (this.#context.signal.aborted) return;
      // The owner ends with everything else there; the plan will say so.
      if (error.causes.includes("NamespaceTerminating")) return state.rest();
      state.fail(error.retryAfter);
      this.#fail(text, `${text}: ${withoutAudit(error.message)}`);
    }
  }

  #refuse(text: string, state: ObjectState, message: string): void {
    state.fail(undefined);
    this.#fail(text, message);
  }

  #fail(text: string, message: string): void {
    if (this.#failures.get(text)?.message === message) return;
    this.#failures.set(text, { reason: "NoResources", message });
    this.#context.log.warn("an object for proxies cannot be had", { group: this.#plan.group, reason: message });
  }

  /** What is ours and the owners', and not in the plan. */
  #findStale(plan: ProxyPlan): LiveObject[] {
    const wanted = new Set(plan.manifests.map((manifest) => toKeyText(keyOf(manifest))));
    const { live, controllerName } = this.#context;
    return [...live.all()].filter(
      (each) =>
        each.owners.some((owner) => plan.owners.has(owner)) &&
        !each.isEnding &&
        !wanted.has(toKeyText(each.key)) &&
        isManaged(each, controllerName),
    );
  }

  #findWait(): number | undefined {
    const now = this.#context.now();
    const waits = [...this.#states.values()].flatMap(({ wakeAt }) => (wakeAt === undefined ? [] : [wakeAt - now]));
    return waits.length === 0 ? undefined : Math.max(0, Math.min(...waits));
  }

  #stateOf(text: string): ObjectState {
    const state = this.#states.get(text) ?? new ObjectState(this.#context.now, this.#context.random);
    this.#states.set(text, state);
    return state;
  }
}

const OURS = { kind: "ours" } as const;

/** A request's id is another one every time, and a status that is written anew every time as well. */
function withoutAudit(message: string): string {
  return message.replace(/ \(audit id [^)]*\)$/, "");
}
