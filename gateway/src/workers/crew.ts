/**
 * The worker threads: starts them, notices those that died or hang, and puts others in their place. A worker costs only its
 * own connections; its replacement inherits its number and with it its counters, and joins with the configuration in force.
 */
import { clearInterval, clearTimeout, setInterval, setTimeout } from "node:timers";
import type { Log } from "../observe/log.ts";
import { StartFailure } from "./contract.ts";
import { Heartbeat, RestartDelay } from "./heartbeat.ts";
import type { Member } from "./member.ts";
import type { ThreadEvents, ThreadMember } from "./thread-member.ts";

/** What a crew is made of. */
export interface CrewOptions {
  readonly count: number;
  readonly interval: number;
  readonly misses: number;
  readonly log: Log;
  start(worker: number, events: ThreadEvents): ThreadMember;
  /** A number that changes with every beat of that worker. */
  beats(worker: number): number;
  /** Frees what a dead worker held in shared memory; false: call it again, another one that holds a lock may be dead, too. */
  clear(worker: number): boolean;
  /** Gives a new worker the configuration in force, then calls `onJoined`; rejects where it cannot take it. */
  join(member: Member, onJoined: () => void): Promise<void>;
}

/**
 * `loading` its modules; `joining`: taking the configuration in force; `ending`: found hung, being terminated; `down`: waits
 * for its replacement.
 */
export type WorkerState = "loading" | "joining" | "serving" | "ending" | "down";

/** Milliseconds a thread may take to load its modules; it beats from then on. */
const LOAD_PATIENCE = 30_000;

/** Milliseconds until what a dead worker held is cleared again: the end of another one may be heard of in between. */
const CLEAR_PAUSE = 5;

const HUNG = "hung";

interface Seat {
  readonly worker: number;
  readonly delay: RestartDelay;
  state: WorkerState;
  thread: ThreadMember | undefined;
  heartbeat: Heartbeat;
  startedAt: number;
  timer: NodeJS.Timeout | undefined;
}

/** All worker threads. */
export class Crew {
  readonly #options: CrewOptions;
  readonly #seats: readonly Seat[];
  #timer: NodeJS.Timeout | undefined;
  #replacing = true;
  #died = 0;
  #hung = 0;

  constructor(options: CrewOptions) {
    this.#options = options;
    this.#seats = Array.from({ length: options.count }, (_, worker) => ({
      worker,
      delay: new RestartDelay(),
      state: "down",
      thread: undefined,
      heartbeat: new Heartbeat(options.misses),
      startedAt: 0,
      timer: undefined,
    }));
  }

  /** Workers that serve. */
  get members(): readonly ThreadMember[] {
    return this.#seats.flatMap(({ state, thread }) => (state === "serving" && thread !== undefined ? [thread] : []));
  }

  /** Replacements so far. */
  get died(): number {
    return this.#died;
  }

  get hung(): number {
    return this.#hung;
  }

  /** State of every worker by number. */
  get states(): readonly WorkerState[] {
    return this.#seats.map((seat) => seat.state);
  }

  /** The thread with that number, whatever its state. */
  thread(worker: number): ThreadMember | undefined {
    return this.#seats[worker]?.thread;
  }

  /** Starts all; rejects with a StartFailure where one cannot. */
  async start(): Promise<void> {
    const { interval } = this.#options;
    for (const seat of this.#seats) this.#start(seat);
    const first = this.#threads();
    try {
      await Promise.all(first.map((thread) => thread.ready));
    } catch (cause) {
      await this.close();
      throw new StartFailure(
        `a worker thread cannot start: ${cause instanceof Error ? cause.message : String(cause)}`,
        {
          cause,
        },
      );
    }
    // One that died while others were loading has been replaced, and its replacement joins as any other.
    for (const seat of this.#seats) {
      if (seat.state === "loading" && first.some((thread) => thread === seat.thread)) seat.state = "serving";
    }
    this.#timer = setInterval(() => this.#look(), interval);
    this.#timer.unref();
  }

  /** From here on the dead are not replaced. */
  stopReplacing(): void {
    this.#replacing = false;
    for (const seat of this.#seats) clearTimeout(seat.timer);
  }

  /** Ends all threads now. */
  async close(): Promise<void> {
    this.stopReplacing();
    clearInterval(this.#timer);
    await Promise.all(this.#threads().map((thread) => thread.close()));
  }

  #threads(): ThreadMember[] {
    return this.#seats.flatMap(({ thread }) => (thread === undefined ? [] : [thread]));
  }

  #start(seat: Seat): void {
    seat.state = "loading";
    seat.startedAt = performance.now();
    seat.heartbeat = new Heartbeat(this.#options.misses);
    seat.thread = this.#options.start(seat.worker, {
      log: (line) => this.#options.log.raw(line),
      ended: (reason) => this.#onEnded(seat, reason),
    });
  }

  #look(): void {
    for (const seat of this.#seats) {
      if (seat.thread === undefined || seat.state === "ending" || this.#isAlive(seat)) continue;
      this.#options.log.error("worker hangs, replacing it", { worker: seat.worker });
      this.#hung++;
      seat.state = "ending";
      seat.thread.terminate(HUNG);
    }
  }

  #isAlive(seat: Seat): boolean {
    if (seat.state === "loading") return performance.now() - seat.startedAt < LOAD_PATIENCE;
    return seat.heartbeat.look(this.#options.beats(seat.worker)) === "alive";
  }

  #onEnded(seat: Seat, reason: string): void {
    seat.state = "down";
    seat.thread = undefined;
    if (!this.#replacing) {
      this.#options.clear(seat.worker);
      return;
    }
    if (reason !== HUNG) this.#died++;
    const delay = seat.delay.next(performance.now() - seat.startedAt);
    this.#options.log.error("worker ended", { worker: seat.worker, reason, restartInMs: delay });
    this.#clear(seat, delay);
  }

  /** Nobody takes the seat before all that was held there is free. */
  #clear(seat: Seat, delay: number): void {
    const isClear = this.#options.clear(seat.worker);
    seat.timer = isClear
      ? setTimeout(() => void this.#replace(seat), delay)
      : setTimeout(() => this.#clear(seat, delay), CLEAR_PAUSE);
  }

  async #replace(seat: Seat): Promise<void> {
    this.#start(seat);
    const { thread } = seat;
    if (thread === undefined) return;
    try {
      await thread.ready;
      seat.state = "joining";
      await this.#options.join(thread, () => {
        if (seat.thread !== thread) return;
        seat.state = "serving";
        this.#options.log.info("worker replaced", { worker: seat.worker });
      });
    } catch (error) {
      if (seat.thread === thread) thread.terminate(error instanceof Error ? error.message : String(error));
    }
  }
}
