/**
 * Where access log lines are written. Two ways, both of which never block the event loop: files through asynchronous
 * writes; pipes, terminals and sockets by non-blocking writes, because an asynchronous write to a pipe nobody reads would
 * hold a thread of libuv's pool for ever and with it the end of the process.
 *
 * Lines of several workers must not mix. The kernel keeps appends to a file whole; a pipe it does not, so its writers take
 * turns under a lock in shared memory.
 */
import { close, fstatSync, open, openSync, readFileSync, stat, write, writeSync } from "node:fs";
import { constants as fileFlags } from "node:fs";
import { setTimeout } from "node:timers";

/** Where to write, as decided once for the process. A descriptor is valid in all its threads. */
export type OutputTarget =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "descriptor"; readonly descriptor: number; readonly blocking: boolean };

/** Called when a write is over: with nothing, or with why the rest of the bytes, from `written` on, was lost. */
export type WriteDone = (loss?: { readonly error: Error; readonly written: number }) => void;

/** Writes buffers in order, one at a time: the next write waits for the callback of the one before. */
export interface LineOutput {
  /** The buffer must stay untouched until `done`. */
  write(bytes: Uint8Array, done: WriteDone): void;
  /** Opens the file anew, for log rotation; a no-op where there is no file. */
  reopen(): void;
  close(): void;
}

/** Decides how to write to `to` (`-` or a path). Throws what opening throws. */
export function resolveOutput(to: string): OutputTarget {
  if (to !== "-") {
    const flags = fileFlags.O_WRONLY | fileFlags.O_APPEND | fileFlags.O_CREAT | fileFlags.O_NONBLOCK;
    const descriptor = openSync(to, flags, FILE_MODE);
    if (isStream(descriptor)) return { kind: "descriptor", descriptor, blocking: false };
    close(descriptor, () => undefined);
    return { kind: "file", path: to };
  }
  if (!isStream(STDOUT)) return { kind: "descriptor", descriptor: STDOUT, blocking: true };
  try {
    // A description of our own: making the one we were given non-blocking would do it for whoever shares it, too.
    const flags = fileFlags.O_WRONLY | fileFlags.O_APPEND | fileFlags.O_NONBLOCK;
    return { kind: "descriptor", descriptor: openSync("/proc/self/fd/1", flags), blocking: false };
  } catch {
    // Sockets cannot be opened by name, nor can another user's pipe. Node makes those non-blocking when it opens them.
    void process.stdout.writable;
    return { kind: "descriptor", descriptor: STDOUT, blocking: !isNonBlocking(STDOUT) };
  }
}

/** Opens the target for one worker. `lock` guards a descriptor shared with other workers. */
export function openOutput(target: OutputTarget, lock: OutputLock | undefined): LineOutput {
  if (target.kind === "file") return new FileOutput(target.path);
  return target.blocking ? new DescriptorOutput(target.descriptor) : new StreamOutput(target.descriptor, lock);
}

/** A lock between workers: a word of shared memory that is 0 or the holder's number plus one. */
export interface OutputLock {
  readonly words: Int32Array;
  readonly word: number;
  readonly worker: number;
}

const STDOUT = 1;
/** Owner writes, group reads: log lines name clients. */
const FILE_MODE = 0o640;
/** Milliseconds between looks whether the file was moved away. */
const ROTATION_CHECK = 2_000;
/** Milliseconds between tries to write to a full pipe: doubled from the first to the second. */
const RETRY_FIRST = 1;
const RETRY_LAST = 50;

/** Appends to a file by path and follows it when it is moved away. */
class FileOutput implements LineOutput {
  readonly #path: string;
  #descriptor: number;
  #busy = false;
  #reopen = false;
  #closed = false;
  #checkedAt = performance.now();

  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openSync(path, "a", FILE_MODE);
  }

  write(bytes: Uint8Array, done: WriteDone): void {
    this.#busy = true;
    this.#prepare(() => {
      writeAll(this.#descriptor, bytes, 0, (loss) => {
        this.#busy = false;
        if (this.#closed) close(this.#descriptor, () => undefined);
        done(loss);
      });
    });
  }

  reopen(): void {
    this.#reopen = true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#busy) close(this.#descriptor, () => undefined);
  }

  /** Opens the file again where that was asked for or the path names another file by now. */
  #prepare(next: () => void): void {
    const now = performance.now();
    if (this.#reopen) return this.#open(next);
    if (now - this.#checkedAt < ROTATION_CHECK) return next();
    this.#checkedAt = now;
    stat(this.#path, (error, found) => {
      const own = fstatSync(this.#descriptor);
      if (error === null && found.ino === own.ino && found.dev === own.dev) next();
      else this.#open(next);
    });
  }

  #open(next: () => void): void {
    this.#reopen = false;
    open(this.#path, "a", FILE_MODE, (error, descriptor) => {
      // Where it cannot be opened, the old file is still better than none; the next check tries again.
      if (error === null) {
        close(this.#descriptor, () => undefined);
        this.#descriptor = descriptor;
      }
      next();
    });
  }
}

/** Writes to a descriptor that cannot be made non-blocking: standard output that is a file or a device. */
class DescriptorOutput implements LineOutput {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(bytes: Uint8Array, done: WriteDone): void {
    writeAll(this.#descriptor, bytes, 0, done);
  }

  reopen(): void {}

  close(): void {}
}

/** Writes to a non-blocking descriptor; what does not fit now is tried again later. */
class StreamOutput implements LineOutput {
  readonly #descriptor: number;
  readonly #lock: OutputLock | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(descriptor: number, lock: OutputLock | undefined) {
    this.#descriptor = descriptor;
    this.#lock = lock;
  }

  write(bytes: Uint8Array, done: WriteDone): void {
    this.#try(bytes, 0, { done, delay: RETRY_FIRST, held: false });
  }

  reopen(): void {}

  close(): void {
    clearTimeout(this.#timer);
    this.#unlock();
  }

  #try(bytes: Uint8Array, from: number, state: { done: WriteDone; delay: number; held: boolean }): void {
    let at = from;
    try {
      state.held ||= this.#tryLock();
      while (state.held && at < bytes.length) at += writeSync(this.#descriptor, bytes, at, bytes.length - at);
    } catch (error) {
      if (!isBusy(error)) {
        this.#unlock();
        return state.done({ error: toError(error), written: at });
      }
    }
    if (at === bytes.length) {
      this.#unlock();
      return state.done();
    }
    const delay = at > from ? RETRY_FIRST : Math.min(state.delay * 2, RETRY_LAST);
    this.#timer = setTimeout(() => this.#try(bytes, at, { ...state, delay }), delay);
    this.#timer.unref();
  }

  #tryLock(): boolean {
    const lock = this.#lock;
    return lock === undefined || Atomics.compareExchange(lock.words, lock.word, 0, lock.worker + 1) === 0;
  }

  #unlock(): void {
    const lock = this.#lock;
    if (lock !== undefined) Atomics.compareExchange(lock.words, lock.word, lock.worker + 1, 0);
  }
}

/** Writes until all is written or an error comes. */
function writeAll(descriptor: number, bytes: Uint8Array, from: number, done: WriteDone): void {
  write(descriptor, bytes, from, bytes.length - from, null, (error, count) => {
    if (error !== null) done({ error, written: from });
    else if (from + count >= bytes.length) done();
    else writeAll(descriptor, bytes, from + count, done);
  });
}

/** A pipe, socket or terminal: something that can be full. */
function isStream(descriptor: number): boolean {
  const found = fstatSync(descriptor);
  if (found.isFIFO() || found.isSocket()) return true;
  return found.isCharacterDevice() && process.stdout.isTTY && descriptor === STDOUT;
}

/** What the kernel says of the descriptor's flags (proc(5), fdinfo). */
function isNonBlocking(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & fileFlags.O_NONBLOCK) !== 0;
  } catch {
    return false;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EAGAIN" || error.code === "EINTR");
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
