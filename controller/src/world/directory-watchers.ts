/** Watches directories, each on its own: unlike the recursive watching of the platform, nothing depends on the tree. */
import { watch } from "node:fs";
import type { FSWatcher } from "node:fs";
import { basename, join } from "node:path";
import { isGone } from "./directory-walk.ts";

/** Tells of changes by the path of what changed: an entry of a watched directory, or such a directory itself. */
export class DirectoryWatchers {
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #onEvent: (path: string) => void;
  readonly #onLimit: (reason: string) => void;

  /** `onLimit` is called if the system refuses to watch more. */
  constructor(onEvent: (path: string) => void, onLimit: (reason: string) => void) {
    this.#onEvent = onEvent;
    this.#onLimit = onLimit;
  }

  /** Watches the directory, if it is not watched already. */
  add(directory: string): void {
    if (this.#watchers.has(directory)) return;
    try {
      const watcher = watch(directory, (_event, name) => this.#report(directory, name));
      watcher.on("error", () => this.#drop(directory));
      this.#watchers.set(directory, watcher);
    } catch (error) {
      if (!isGone(error)) this.#onLimit(error instanceof Error ? error.message : String(error));
    }
  }

  /** Ends the watching of a directory and of all below: what is at that path now may be something else. */
  forget(directory: string): void {
    for (const path of [...this.#watchers.keys()])
      if (path === directory || path.startsWith(`${directory}/`)) this.#drop(path);
  }

  /** Ends all watching. */
  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #report(directory: string, name: string | null): void {
    // A directory that is removed or moved away reports itself, by its own name.
    if (name === null || name === basename(directory)) this.#onEvent(directory);
    if (name !== null) this.#onEvent(join(directory, name));
  }

  #drop(directory: string): void {
    this.#watchers.get(directory)?.close();
    this.#watchers.delete(directory);
  }
}
