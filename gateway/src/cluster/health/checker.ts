/** Checks one endpoint, again and again, until it is told to stop. What is found out is its owner's to judge. */
import type { ProbeResult } from "./contract.ts";

/** Calls `run` once after so many milliseconds; returns what cancels it. */
export type Schedule = (milliseconds: number, run: () => void) => () => void;

/** What one check takes, asked anew for each. */
export interface CheckRun {
  /** Begins one; see OpenProbe. */
  begin(done: (result: ProbeResult) => void): () => void;
  /** Takes note of how it ended. Milliseconds until the next one; may stop the checker. */
  judge(result: ProbeResult): number;
}

/** What a worker's checks share: there are only so many at once, and the others wait. */
export class CheckSlots {
  readonly #most: number;
  readonly #schedule: Schedule;
  #taken = 0;
  readonly #waiting = new Set<Checker>();

  constructor(most: number, schedule: Schedule) {
    this.#most = most;
    this.#schedule = schedule;
  }

  /** Whether it may begin; if not, it is called once it may. */
  take(checker: Checker): boolean {
    if (this.#taken >= this.#most) {
      this.#waiting.add(checker);
      return false;
    }
    this.#taken++;
    return true;
  }

  /** The next one begins a little later: many may be stopped now, one after the other. */
  giveBack(): void {
    this.#taken--;
    if (this.#waiting.size > 0) this.#schedule(0, () => this.#admit());
  }

  /** It is not to be called any more. */
  leave(checker: Checker): void {
    this.#waiting.delete(checker);
  }

  #admit(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      next.run();
      return;
    }
  }
}

/** The checks of one endpoint by one worker. */
export class Checker {
  readonly #slots: CheckSlots;
  readonly #schedule: Schedule;
  readonly #check: CheckRun;
  #state: "resting" | "checking" | "stopped" = "resting";
  #cancel: () => void;

  /** The first check begins at once, but not before this returns. */
  constructor(slots: CheckSlots, schedule: Schedule, check: CheckRun) {
    this.#slots = slots;
    this.#schedule = schedule;
    this.#check = check;
    this.#cancel = schedule(0, () => this.run());
  }

  /** Begins a check where there is room for one, or as soon as there is. */
  run(): void {
    if (this.#state !== "resting" || !this.#slots.take(this)) return;
    this.#state = "checking";
    this.#cancel = this.#check.begin((result) => this.#end(result));
  }

  /** Gives up what is under way. */
  stop(): void {
    if (this.#state === "stopped") return;
    const wasChecking = this.#state === "checking";
    this.#state = "stopped";
    this.#cancel();
    this.#slots.leave(this);
    if (wasChecking) this.#slots.giveBack();
  }

  #end(result: ProbeResult): void {
    if (this.#state !== "checking") return;
    this.#state = "resting";
    this.#slots.giveBack();
    const pause = this.#check.judge(result);
    if (this.#isResting()) this.#cancel = this.#schedule(pause, () => this.run());
  }

  /** A method, because the compiler believes that judging cannot have stopped it. */
  #isResting(): boolean {
    return this.#state === "resting";
  }
}
