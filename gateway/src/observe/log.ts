/**
 * The process log: a constant message with fields, one line an event, as JSON or as text for a terminal. The level is a
 * number in (possibly shared) memory, so that a change counts at once for all workers.
 */

/** Levels by who must act: error (somebody now), warn (somebody soon), info (nobody), debug (a developer). */
export type LogLevel = "error" | "warn" | "info" | "debug" | "off";

/** `json` for machines, `text` for people. */
export type LogFormat = "json" | "text";

/** What accompanies a message. Errors print as their stack, everything else as JSON would. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Takes a finished line, without its line feed. */
export type LogSink = (line: string) => void;

/** What a log is made of. */
export interface LogOptions {
  readonly format: LogFormat;
  readonly sink: LogSink;
  /** Cell 0 holds the level as a number of LEVELS; may lie in shared memory. */
  readonly level: Int32Array;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Fields every line carries, e.g. the worker. */
  readonly context?: LogFields;
}

/** The number a level has in memory: a message is printed where its number is at most this. */
export const LEVELS = { off: 0, error: 1, warn: 2, info: 3, debug: 4 } as const satisfies Record<LogLevel, number>;

/** The level of that name, or undefined. */
export function parseLogLevel(text: string): LogLevel | undefined {
  return text === "off" || text === "error" || text === "warn" || text === "info" || text === "debug"
    ? text
    : undefined;
}

/** The name of a level in memory. */
export function toLogLevel(level: number): LogLevel {
  if (level <= LEVELS.off) return "off";
  if (level === LEVELS.error) return "error";
  if (level === LEVELS.warn) return "warn";
  return level === LEVELS.info ? "info" : "debug";
}

/** Writes the process log. */
export class Log {
  readonly #options: LogOptions;
  readonly #context: LogFields;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#context = options.context ?? {};
  }

  error(message: string, fields: LogFields = {}): void {
    this.#write("error", message, fields);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#write("warn", message, fields);
  }

  info(message: string, fields: LogFields = {}): void {
    this.#write("info", message, fields);
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#write("debug", message, fields);
  }

  /** Passes on a line another thread has finished. */
  raw(line: string): void {
    this.#options.sink(line);
  }

  #write(level: Exclude<LogLevel, "off">, message: string, fields: LogFields): void {
    const limit = this.#options.level[0] ?? LEVELS.info;
    if (LEVELS[level] > limit) return;
    const time = new Date(this.#options.now()).toISOString();
    const all = { ...this.#context, ...fields };
    this.#options.sink(
      this.#options.format === "json" ? toJsonLine(time, level, message, all) : toTextLine(time, level, message, all),
    );
  }
}

/** A cell for LogOptions.level that belongs to one thread. */
export function openLevel(level: LogLevel): Int32Array {
  return Int32Array.of(LEVELS[level]);
}

function toJsonLine(time: string, level: string, message: string, fields: LogFields): string {
  return JSON.stringify({ time, level, message, ...fields }, replaceUnprintable);
}

function toTextLine(time: string, level: string, message: string, fields: LogFields): string {
  let line = `${time} ${level.toUpperCase().padEnd(5)} ${toPrintable(message)}`;
  for (const [name, value] of Object.entries(fields)) line += ` ${name}=${toTextValue(value)}`;
  return line;
}

/** JSON.stringify shows an Error as {} and throws on a bigint. */
function replaceUnprintable(_name: string, value: unknown): unknown {
  if (value instanceof Error) return value.stack ?? String(value);
  return typeof value === "bigint" ? value.toString() : value;
}

/** Bare where it is one plain word, quoted as JSON otherwise: nothing in a value can look like a new line or field. */
function toTextValue(value: unknown): string {
  if (typeof value === "string" && /^[\w./:@+-]+$/.test(value)) return value;
  return toPrintable(JSON.stringify(value, replaceUnprintable) ?? String(value));
}

/** C1 controls and DEL pass JSON.stringify and can drive a terminal. */
function toPrintable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
