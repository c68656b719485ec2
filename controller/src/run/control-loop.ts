/**
 * The loop of a controller: after a change of the world, or of what is known of proxies, everything is translated, proxies get
 * their slices, and the leader writes statuses and has proxies made.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { formatProblem, type Problem } from "@sallyport/model/problem";
import type { Snapshot } from "@sallyport/model/snapshot";
import { translateWorld } from "../translate/run.ts";
import { sliceSnapshot } from "../translate/slice.ts";
import type { TranslateOptions, WorldTranslation } from "../translate/translator.ts";
import type { IndexedWorld } from "../world/indexed-world.ts";
import { type BurstLimits, BurstTimer } from "./burst-timer.ts";
import type { GroupState, Provisioner, Publisher, StatusWriter, WatchedWorld } from "./contract.ts";
import type { ControllerLog } from "./log.ts";
import type { WatchedPlaces } from "./node-places.ts";
import { type FactSources, ToldFacts } from "./proxy-facts.ts";
import { isInputChanged } from "./translation-input.ts";

/** What proxies say. */
export interface ProxyStates {
  groupState(group: string): GroupState;
  /** `listener` is called after group states changed. Returns what stops it. */
  onState(listener: () => void): () => void;
}

/** What only the leader does. */
export interface Leadership {
  readonly statuses: StatusWriter;
  readonly provisioner: Provisioner;
}

/** Who counts what the loop does. */
export interface LoopObserver {
  /** A translation took so many milliseconds. */
  translated(millis: number, translation: WorldTranslation, world: IndexedWorld): void;
  /** A turn ended in an exception, which is a bug: everything stays as it was. */
  failed(): void;
}

/** What the loop runs on. */
export interface LoopOptions {
  readonly watched: WatchedWorld;
  readonly publisher: Publisher & ProxyStates;
  readonly translate: Omit<TranslateOptions, "proxies">;
  readonly ingressService: FactSources["ingressService"];
  /** Where nodes are; absent: nobody knows. */
  readonly places?: Pick<WatchedPlaces, "facts" | "onChange">;
  readonly log: ControllerLog;
  readonly observer: LoopObserver;
  /** How bursts of changes are waited for; absent: 20 ms of silence, 100 ms at most. */
  readonly burst?: BurstLimits;
}

const BURST: BurstLimits = { quiet: 20, longest: 100 };
/** Problems that are printed of one translation. */
const MOST_PROBLEMS = 50;

/** What came of the last translation. */
interface Outcome {
  readonly world: IndexedWorld;
  readonly facts: ToldFacts;
  readonly translation: WorldTranslation;
  readonly slices: ReadonlyMap<string, Snapshot>;
}

/** Runs from `start` to `close`. */
export class ControlLoop {
  readonly #options: LoopOptions;
  readonly #timer: BurstTimer;
  readonly #sources: FactSources;
  #stops: (() => void)[] = [];
  readonly #stopsOfTerm: (() => void)[] = [];
  #leadership: Leadership | undefined;
  #outcome: Outcome | undefined;
  #told: ReadonlySet<string> = new Set();
  #work: Promise<void> | undefined;
  #isDue = false;
  #isClosed = false;
  #since: number | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#timer = new BurstTimer(options.burst ?? BURST, () => this.#begin());
    this.#sources = {
      groupState: (group) => options.publisher.groupState(group),
      failuresOf: (group) => this.#leadership?.provisioner.failuresOf(group) ?? [],
      ingressService: options.ingressService,
      nodes: () => options.places?.facts,
    };
  }

  /** Groups of proxies there should be. */
  get groups(): readonly string[] {
    return this.#outcome?.translation.groups ?? [];
  }

  /** Milliseconds that the turn under way has taken so far; 0 where there is none. A loop that hangs is not healthy. */
  get busy(): number {
    return this.#since === undefined ? 0 : performance.now() - this.#since;
  }

  /** Waits for the world, and resolves when it is translated for the first time and proxies can have their configuration. */
  async start(): Promise<void> {
    const { watched, publisher, places } = this.#options;
    await watched.synced;
    if (this.#isClosed) return;
    const touch = (): void => this.#timer.touch();
    this.#stops = [watched.onChange(touch), publisher.onState(touch)];
    if (places !== undefined) this.#stops.push(places.onChange(touch));
    this.#begin();
    await this.#work;
  }

  /** From now on this replica leads. Everything is looked at once more, and what is missing is written and made. */
  lead(leadership: Leadership): void {
    this.#leadership = leadership;
    this.#stopsOfTerm.push(leadership.provisioner.onFailure(() => this.#timer.touch()));
    if (this.#outcome !== undefined) this.#act(this.#outcome);
    this.#timer.touch();
  }

  /** From now on it does not. Nothing is written or made any more. */
  follow(): void {
    this.#leadership = undefined;
    for (const stop of this.#stopsOfTerm.splice(0)) stop();
  }

  /** Ends the loop; resolves when the turn under way is over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer.close();
    this.follow();
    for (const stop of this.#stops.splice(0)) stop();
    await this.#work;
  }

  /** One turn at a time: what happens meanwhile is for the next one. */
  #begin(): void {
    if (this.#isClosed) return;
    if (this.#work !== undefined) {
      this.#isDue = true;
      return;
    }
    this.#since = performance.now();
    this.#work = this.#tryTurn().then(() => {
      this.#work = undefined;
      this.#since = undefined;
      if (!this.#isDue) return;
      this.#isDue = false;
      this.#begin();
    });
  }

  /** One object that hits a bug must not take the configuration of all others away, as an end of the process would. */
  async #tryTurn(): Promise<void> {
    try {
      await this.#turn();
    } catch (error) {
      this.#options.observer.failed();
      this.#options.log.error(
        "a change cannot be carried out because of a bug; proxies and statuses stay as they were",
        {
          error,
        },
      );
    }
  }

  async #turn(): Promise<void> {
    const { world } = this.#options.watched;
    const before = this.#outcome;
    if (before !== undefined && !before.facts.isStale() && !isInputChanged(before.world, world)) {
      // Statuses alone are different: perhaps somebody wrote over ours.
      if (before.world !== world) this.#act((this.#outcome = { ...before, world }));
      return;
    }
    const outcome = await this.#translate(world);
    if (this.#isClosed) return;
    this.#outcome = outcome;
    this.#options.publisher.publish(outcome.slices);
    await nextTurn();
    this.#act(outcome);
  }

  /** In pieces, so that watches go on between them. */
  async #translate(world: IndexedWorld): Promise<Outcome> {
    const { translate, observer } = this.#options;
    const facts = new ToldFacts(this.#sources, world);
    const start = performance.now();
    const translation = translateWorld(world, { ...translate, proxies: facts }, this.#outcome?.translation);
    observer.translated(performance.now() - start, translation, world);
    await nextTurn();
    const slices = sliceSnapshot(translation.snapshot, translation.groups, this.#outcome?.slices);
    this.#tell(translation.problems);
    await nextTurn();
    return { world, facts, translation, slices };
  }

  #act({ world, translation, slices }: Outcome): void {
    this.#leadership?.provisioner.reconcile(world, slices);
    this.#leadership?.statuses.write(translation.statuses, world);
  }

  /** What is new among the problems: Ingresses and Services have no conditions to tell them in. */
  #tell(problems: readonly Problem[]): void {
    const told = this.#told;
    const byKey = new Map(problems.map((problem) => [toProblemKey(problem), problem]));
    this.#told = new Set(byKey.keys());
    const fresh = [...byKey].filter(([key]) => !told.has(key)).map(([, problem]) => problem);
    for (const problem of fresh.slice(0, MOST_PROBLEMS)) this.#options.log.warn(formatProblem(problem));
    const rest = fresh.length - MOST_PROBLEMS;
    if (rest > 0)
      this.#options.log.warn("more problems of this kind are in the statuses of their objects", { count: rest });
  }
}

/** Hints name what else there is, which changes for other reasons. */
function toProblemKey({ code, message, object, path }: Problem): string {
  return JSON.stringify([code, message, object, path]);
}
