/**
 * The words of shared memory by which the supervisor steers its workers and sees whether they live. The supervisor alone
 * writes the epoch, the stage, the pressure and the admin port; each worker alone writes its heartbeat.
 */
import { LEVELS, type LogLevel } from "../observe/log.ts";
import type { OutputLock } from "../observe/line-output.ts";

/** `draining`: answers carry Connection: close. `closing`: nothing new is accepted any more. */
export type Stage = "serving" | "draining" | "closing";

/** What the memory guard asks for: nothing, Connection: close on answers, or 503 for requests. */
export type Pressure = "none" | "stop-keep-alive" | "shed";

const STAGES: readonly Stage[] = ["serving", "draining", "closing"];
const PRESSURES: readonly Pressure[] = ["none", "stop-keep-alive", "shed"];

const EPOCH = 0;
const STAGE = 1;
const PRESSURE = 2;
const LOG_LEVEL = 3;
const OUTPUT_LOCK = 4;
const ADMIN_PORT = 5;
/** A cache line of its own for every heartbeat. */
const LINE = 16;

/** A view of the words; every thread has its own over the same buffer. */
export class Control {
  readonly buffer: SharedArrayBuffer;
  /** For Atomics.load on the data path: word 0 is the epoch. */
  readonly words: Int32Array<SharedArrayBuffer>;

  constructor(workers: number, buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer((workers + 1) * LINE * Int32Array.BYTES_PER_ELEMENT);
    this.words = new Int32Array(this.buffer);
  }

  get epoch(): number {
    return Atomics.load(this.words, EPOCH);
  }

  set epoch(epoch: number) {
    Atomics.store(this.words, EPOCH, epoch);
  }

  get stage(): Stage {
    return STAGES[Atomics.load(this.words, STAGE)] ?? "closing";
  }

  set stage(stage: Stage) {
    Atomics.store(this.words, STAGE, STAGES.indexOf(stage));
  }

  get pressure(): Pressure {
    return PRESSURES[Atomics.load(this.words, PRESSURE)] ?? "none";
  }

  set pressure(pressure: Pressure) {
    Atomics.store(this.words, PRESSURE, PRESSURES.indexOf(pressure));
  }

  /** One read of each word: whether a connection may be kept after the answer it is about to send. */
  get keepsAlive(): boolean {
    return this.words[STAGE] === 0 && this.words[PRESSURE] === 0;
  }

  /** Where the admin API is bound; 0: nowhere. */
  get adminPort(): number {
    return this.words[ADMIN_PORT] ?? 0;
  }

  set adminPort(port: number) {
    Atomics.store(this.words, ADMIN_PORT, port);
  }

  /** The cell that a Log reads its level from. */
  get logLevel(): Int32Array {
    return this.words.subarray(LOG_LEVEL, LOG_LEVEL + 1);
  }

  setLogLevel(level: LogLevel): void {
    this.words[LOG_LEVEL] = LEVELS[level];
  }

  /** The lock around an access log output that workers share. */
  outputLock(worker: number): OutputLock {
    return { words: this.words, word: OUTPUT_LOCK, worker };
  }

  /** Says that this worker's loop turns. */
  beat(worker: number): void {
    Atomics.add(this.words, (worker + 1) * LINE, 1);
  }

  /** A number that changes with every beat. */
  beats(worker: number): number {
    return Atomics.load(this.words, (worker + 1) * LINE);
  }

  /** Frees what a dead worker held. */
  clearWorker(worker: number): void {
    Atomics.compareExchange(this.words, OUTPUT_LOCK, worker + 1, 0);
  }
}
