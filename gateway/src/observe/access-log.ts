/**
 * The access log of a worker. Lines gather in buffers of bounded number and are written in batches; when the output cannot
 * keep up or fails, lines are dropped and counted, and traffic goes on.
 */
import { setTimeout } from "node:timers";
import { GLOBAL } from "./cells.ts";
import { LineEncoder } from "./access-line.ts";
import type { AccessFormat, AccessRow } from "./access-format.ts";
import type { WallClock } from "./access-time.ts";
import type { LineOutput, OutputTarget } from "./line-output.ts";
import type { Log } from "./log.ts";
import type { LoggedRecord } from "./logged-record.ts";

/** What the operator asked for, as told to workers. */
export interface AccessOutput {
  readonly target: OutputTarget;
  /** Absent: the default format. */
  readonly format?: string;
}

/** What an access log is made of. */
export interface AccessLogOptions {
  readonly format: AccessFormat;
  readonly output: LineOutput;
  readonly clock: WallClock;
  /** The worker's stripe: lines written and dropped are counted there. */
  readonly cells: Float64Array;
  readonly log: Log;
}

/** Handing a buffer to another thread and hearing of it costs as much as the kernel takes for 64 KiB of it. */
const BUFFER_SIZE = 262_144;
/** Buffers that may wait behind the one that is being written. */
const MAX_WAITING = 3;
/** Exchanges whose lines are made together. */
const MAX_ROWS = 64;
/** Milliseconds a line waits for company. */
const FLUSH_DELAY = 100;
/** Milliseconds between warnings about lost lines. */
const WARNING_INTERVAL = 60_000;
/** Longest line that is not dropped; only a format that repeats large headers gets there. */
const MAX_LINE = 1_048_576;

/** A buffer and how far it is filled. */
interface Batch {
  readonly bytes: Buffer;
  end: number;
  lines: number;
}

/** Formats, batches and writes. */
export class AccessLog {
  readonly #options: AccessLogOptions;
  readonly #encoder: LineEncoder;
  /** Exchanges whose lines are still to be made. */
  readonly #rows: AccessRow[] = [];
  readonly #waiting: Batch[] = [];
  #filling: Batch = openBatch(BUFFER_SIZE);
  #spare: Batch | undefined;
  #writing = false;
  #timer: NodeJS.Timeout | undefined;
  /** The last write ended inside a line: the next one begins with a line feed. */
  #torn = false;
  #warnedAt = -WARNING_INTERVAL;
  #lostSinceWarning = 0;
  #onIdle: (() => void) | undefined;

  constructor(options: AccessLogOptions) {
    this.#options = options;
    this.#encoder = new LineEncoder(options.format);
  }

  /** Adds a line. */
  record(record: LoggedRecord): void {
    this.#rows.push(this.#options.format.read(record));
    if (this.#timer === undefined) this.#beginBatch();
    if (this.#rows.length === MAX_ROWS) this.#encodeRows();
  }

  /** Opens the file anew: at once, or after the write in progress. */
  reopen(): void {
    this.#options.output.reopen();
    if (this.#writing) return;
    this.#writing = true;
    this.#options.output.write(NOTHING, () => this.#next());
  }

  /** Writes what is there, for at most so many milliseconds, and closes the output. */
  async close(patience: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const giveUp = setTimeout(resolve, patience);
    this.#onIdle = resolve;
    this.#flush();
    await promise;
    clearTimeout(giveUp);
    clearTimeout(this.#timer);
    this.#options.output.close();
  }

  #beginBatch(): void {
    this.#timer = setTimeout(() => this.#flush(), FLUSH_DELAY);
    this.#timer.unref();
    this.#options.clock.adjust();
  }

  /**
   * Makes lines of many exchanges at once: a line made between two requests costs twice as much, because the code and data
   * for it have gone cold meanwhile.
   */
  #encodeRows(): void {
    for (const row of this.#rows) {
      const batch = this.#filling;
      const end = this.#encoder.encode(row, batch.bytes, batch.end);
      if (end === -1) this.#encodeElsewhere(row);
      else {
        batch.end = end;
        batch.lines++;
      }
    }
    this.#rows.length = 0;
  }

  /** The buffer is full (or, where it is empty, too small): goes on in another one. */
  #encodeElsewhere(row: AccessRow): void {
    if (this.#waiting.length >= MAX_WAITING) return this.#lose(1, undefined);
    if (this.#filling.end > 0) {
      this.#push();
      const end = this.#encoder.encode(row, this.#filling.bytes, 0);
      if (end !== -1) {
        this.#filling.end = end;
        this.#filling.lines = 1;
        return undefined;
      }
    }
    const line = this.#encoder.toText(row);
    if (line.length > MAX_LINE || this.#waiting.length >= MAX_WAITING) return this.#lose(1, undefined);
    const batch = openBatch(line.length);
    batch.end = batch.bytes.write(line, "latin1");
    batch.lines = 1;
    this.#waiting.push(batch);
    return this.#writeNext();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#encodeRows();
    this.#writeNext();
  }

  /** Hands on what is filled. */
  #push(): void {
    this.#waiting.push(this.#filling);
    this.#filling = this.#spare ?? openBatch(BUFFER_SIZE);
    this.#spare = undefined;
    this.#writeNext();
  }

  #writeNext(): void {
    if (this.#writing) return;
    // While an output does not keep up, what waited for company long enough goes on filling: buffers are few.
    if (this.#waiting.length === 0 && this.#filling.lines > 0 && this.#timer === undefined) return this.#push();
    const batch = this.#waiting.shift();
    if (batch === undefined) return this.#onIdle?.();
    this.#writing = true;
    if (!this.#torn) return this.#write(batch);
    this.#options.output.write(END_OF_LINE, (loss) => {
      this.#torn = loss !== undefined;
      this.#write(batch);
    });
  }

  #write(batch: Batch): void {
    this.#options.output.write(batch.bytes.subarray(0, batch.end), (loss) => {
      const lost = loss === undefined ? 0 : countLines(batch, loss.written);
      this.#count(GLOBAL.logLines, batch.lines - lost);
      if (loss !== undefined) {
        if (loss.written > 0) this.#torn = batch.bytes[loss.written - 1] !== LINE_FEED;
        this.#lose(lost, loss.error);
      }
      batch.end = batch.lines = 0;
      if (batch.bytes.length === BUFFER_SIZE) this.#spare ??= batch;
      this.#next();
    });
  }

  #next(): void {
    this.#writing = false;
    this.#writeNext();
  }

  #lose(lines: number, error: Error | undefined): void {
    this.#count(GLOBAL.logDropped, lines);
    this.#lostSinceWarning += lines;
    const now = performance.now();
    if (now - this.#warnedAt < WARNING_INTERVAL) return;
    this.#warnedAt = now;
    const why = error === undefined ? "the output does not keep up" : error.message;
    this.#options.log.warn("access log lines lost", { lines: this.#lostSinceWarning, why });
    this.#lostSinceWarning = 0;
  }

  #count(cell: number, amount: number): void {
    const { cells } = this.#options;
    cells[cell] = (cells[cell] ?? 0) + amount;
  }
}

const LINE_FEED = 0x0a;
const END_OF_LINE = Uint8Array.of(LINE_FEED);
const NOTHING = new Uint8Array(0);

function openBatch(size: number): Batch {
  return { bytes: Buffer.allocUnsafeSlow(size), end: 0, lines: 0 };
}

/** Lines that end at or behind `from`. */
function countLines(batch: Batch, from: number): number {
  let lines = 0;
  for (let at = from; at < batch.end; at++) if (batch.bytes[at] === LINE_FEED) lines++;
  return lines;
}
