/**
 * Keeps a world up to date with a directory: a change is there a few milliseconds after it was written, all of a burst of
 * changes at once, and a file caught in the middle of being written is looked at again before it counts.
 */
import { basename, dirname, resolve } from "node:path";
import type { Problem } from "@sallyport/model/problem";
import { DirectoryWatchers } from "./directory-watchers.ts";
import { Folder, defaultFolderLimits } from "./folder.ts";
import type { FolderLimits } from "./folder.ts";
import type { IndexedWorld } from "./indexed-world.ts";
import { buildWorld } from "./load.ts";
import { UnsureFiles } from "./unsure-files.ts";

/** What a change of the files came to. */
export interface WorldChange {
  /** The new world; absent if some problem is an error: what was there before stays in force. */
  readonly world?: IndexedWorld;
  /** Everything there is to say about the files as they are now. */
  readonly problems: readonly Problem[];
  /** Files that are new, different or gone since the change before. */
  readonly changedFiles: readonly string[];
}

/** How a directory is watched. Times are in milliseconds. */
export interface WatchOptions {
  readonly limits: FolderLimits;
  /** Quiet time after an event before files are read. */
  readonly quietMillis: number;
  /** Longest time reading is put off because events keep coming. */
  readonly longestBurstMillis: number;
  /** How long a file that looks cut off must stay the same before it counts. */
  readonly unsureMillis: number;
  /** How often everything is looked at in case the system reported nothing. */
  readonly rescanMillis: number;
}

/** Suits people at an editor as well as mounted ConfigMaps. */
export const defaultWatchOptions: WatchOptions = {
  limits: defaultFolderLimits,
  quietMillis: 5,
  longestBurstMillis: 30,
  unsureMillis: 30,
  rescanMillis: 2000,
};

/** A rescan may take at most this part of the time. */
const rescanShare = 0.02;

/** A watched directory (or file). Open it with `start`, end it with `close`. */
export class WorldWatch implements AsyncDisposable {
  readonly #root: string;
  readonly #options: WatchOptions;
  readonly #onChange: (change: WorldChange) => void;
  readonly #folder: Folder;
  readonly #watchers: DirectoryWatchers;
  readonly #unsure: UnsureFiles;
  readonly #pending = new Set<string>();
  readonly #changed = new Set<string>();
  #world: IndexedWorld | undefined;
  #watchLimit: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #rescanTimer: NodeJS.Timeout | undefined;
  #burstStart = 0;
  #work: Promise<void> | undefined;
  #isClosed = false;

  /** `onChange` is called after each change once `start` is done. */
  constructor(path: string, onChange: (change: WorldChange) => void, options: WatchOptions = defaultWatchOptions) {
    this.#root = resolve(path);
    this.#options = options;
    this.#onChange = onChange;
    this.#unsure = new UnsureFiles(options.unsureMillis);
    this.#watchers = new DirectoryWatchers(
      (changed) => this.#touch(changed),
      (reason) => {
        this.#watchLimit = reason;
      },
    );
    this.#folder = new Folder(path, options.limits, (directory) => this.#watchers.add(directory));
  }

  /** Reads everything and begins to watch. To be called once. */
  async start(): Promise<WorldChange> {
    const loading = this.#load();
    this.#work = loading.then(() => this.#finish());
    return loading;
  }

  /** Ends watching; resolves when no more call of `onChange` can come. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#rescanTimer);
    this.#watchers.close();
    await this.#work;
  }

  /** See `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #touch(path: string): void {
    if (this.#isClosed || !this.#isOurs(path)) return;
    if (this.#pending.size === 0) this.#burstStart = performance.now();
    this.#pending.add(path);
    if (this.#work === undefined) this.#plan();
  }

  /** Of the root's parent only the root itself matters. */
  #isOurs(path: string): boolean {
    return path === this.#root || path.startsWith(`${this.#root}/`);
  }

  /** Sets the timer for what is to be looked at next. */
  #plan(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    const now = performance.now();
    const { quietMillis, longestBurstMillis } = this.#options;
    const untilQuiet = Math.min(quietMillis, this.#burstStart + longestBurstMillis - now);
    const delay = this.#pending.size > 0 ? untilQuiet : this.#unsure.millisUntilDue(now);
    if (delay === undefined) return;
    this.#timer = setTimeout(() => this.#begin([]), Math.max(0, delay));
  }

  #begin(extra: readonly string[]): void {
    if (this.#isClosed || this.#work !== undefined) return;
    this.#work = this.#update(extra).then(() => this.#finish());
  }

  #finish(): void {
    this.#work = undefined;
    this.#plan();
  }

  async #load(): Promise<WorldChange> {
    // The parent tells when the root itself is replaced, as `ln -sfn release-2 current` does.
    this.#watchers.add(dirname(this.#root));
    const { changed } = await this.#folder.updateAll();
    for (const path of changed) this.#changed.add(path);
    this.#planRescan(0);
    return this.#build();
  }

  async #update(extra: readonly string[]): Promise<void> {
    const touched = [...this.#pending];
    this.#pending.clear();
    for (const path of touched) this.#watchers.forget(path);
    const due = this.#unsure.takeDue(performance.now());
    const { changed, unsure } = await this.#folder.update([...touched, ...due, ...extra]);
    for (const path of changed) this.#changed.add(path);
    this.#unsure.note(changed, unsure, performance.now());
    if (this.#changed.size === 0 || this.#unsure.size > 0) return;
    const change = await this.#build();
    if (!this.#isClosed) this.#onChange(change);
  }

  async #build(): Promise<WorldChange> {
    const changedFiles = [...this.#changed].map((path) => this.#folder.toName(path)).toSorted();
    this.#changed.clear();
    const { world, problems } = await buildWorld(this.#folder, this.#world);
    this.#world = world ?? this.#world;
    const all = this.#watchLimit === undefined ? problems : [...problems, this.#toLimitProblem(this.#watchLimit)];
    return world === undefined ? { problems: all, changedFiles } : { world, problems: all, changedFiles };
  }

  #toLimitProblem(reason: string): Problem {
    const seconds = this.#options.rescanMillis / 1000;
    return {
      code: "unreadable-file",
      severity: "warning",
      message: `changes of ${basename(this.#root)} are noticed only every ${seconds} s: ${reason}`,
      hint: "raise fs.inotify.max_user_watches or max_user_instances",
    };
  }

  #planRescan(lastMillis: number): void {
    if (this.#isClosed) return;
    const delay = Math.max(this.#options.rescanMillis, lastMillis / rescanShare);
    this.#rescanTimer = setTimeout(() => void this.#rescan(), delay);
    this.#rescanTimer.unref();
  }

  async #rescan(): Promise<void> {
    await this.#work;
    const start = performance.now();
    this.#begin([this.#root]);
    await this.#work;
    this.#planRescan(performance.now() - start);
  }
}
