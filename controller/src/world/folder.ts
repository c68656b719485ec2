/**
 * A directory tree of object files: which files there are, and what each holds. Hidden files are none of ours, which also
 * leaves out the real directories behind the `..data` link of a mounted ConfigMap: its files are seen through their links.
 */
import { basename, dirname, join, relative, resolve } from "node:path";
import type { Problem } from "@sallyport/model/problem";
import { assembleFiles } from "./assemble.ts";
import type { Assembly } from "./assemble.ts";
import { isHidden, isObjectFileName, kindOf, walkDirectory } from "./directory-walk.ts";
import { readObjectFile } from "./object-file.ts";
import type { FileState } from "./object-file.ts";
import { Pacer } from "./pacer.ts";

/** Bounds of what is read. */
export interface FolderLimits {
  /** Largest file, in bytes. */
  readonly mostFileBytes: number;
  /** Most files. */
  readonly mostFiles: number;
}

/** Bounds that no honest configuration reaches. */
export const defaultFolderLimits: FolderLimits = { mostFileBytes: 16 * 1024 * 1024, mostFiles: 20_000 };

/** How many files are read at once. */
const readsAtOnce = 16;

/** What an update found to be different, by path. */
export interface FolderChange {
  /** Files that are new, different or gone, and directories that became unreadable or readable again. */
  readonly changed: readonly string[];
  /** Those of them that look as if they were still being written. */
  readonly unsure: ReadonlySet<string>;
}

/** The files of a directory tree, or one single file. */
export class Folder {
  /** The root as users wrote it. */
  readonly #name: string;
  readonly #root: string;
  readonly #limits: FolderLimits;
  readonly #onDirectory: (path: string) => void;
  readonly #files = new Map<string, FileState>();
  readonly #problems = new Map<string, Problem>();

  /** `onDirectory` is called with each directory before it is read, so that no change of it is missed. */
  constructor(root: string, limits: FolderLimits, onDirectory: (path: string) => void = () => {}) {
    this.#name = root;
    this.#root = resolve(root);
    this.#limits = limits;
    this.#onDirectory = onDirectory;
  }

  /** Looks at everything again. */
  updateAll(): Promise<FolderChange> {
    return this.update([this.#root]);
  }

  /** Looks again at these paths, and at everything below those that are directories. */
  async update(paths: Iterable<string>): Promise<FolderChange> {
    const problemsBefore = new Map(this.#problems);
    const candidates = new Set<string>();
    for (const path of this.#toScopes(paths)) await this.#findFiles(path, candidates);
    const { changed, unsure } = await this.#readFiles([...candidates].toSorted());
    const troubled = [...new Set([...problemsBefore.keys(), ...this.#problems.keys()])].filter(
      (path) => problemsBefore.get(path)?.message !== this.#problems.get(path)?.message,
    );
    return { changed: [...new Set([...changed, ...troubled])], unsure };
  }

  /** Everything as it was last read. */
  async assemble(): Promise<Assembly> {
    const paths = [...this.#files.keys()].toSorted();
    const files = paths.map((path) => ({ file: this.toName(path), chunks: this.#files.get(path)?.chunks ?? [] }));
    const { objects, problems } = await assembleFiles(files, new Pacer());
    return { objects, problems: [...this.#problems.values(), ...problems] };
  }

  /**
   * What to look at for changes of these paths. One of a hidden link (`..data`) may be one of all that lies beside it; other
   * hidden names are none of ours.
   */
  #toScopes(paths: Iterable<string>): Set<string> {
    const scopes = new Set<string>();
    for (const path of paths) {
      if (path === this.#root) scopes.add(path);
      else if (!isWithin(path, this.#root)) continue;
      else if (!isHidden(basename(path))) scopes.add(path);
      else if (basename(path).startsWith("..")) scopes.add(dirname(path));
    }
    return scopes;
  }

  /** Adds to `candidates` every file at or below the scope: those that are there, and those that were. */
  async #findFiles(scope: string, candidates: Set<string>): Promise<void> {
    for (const path of this.#files.keys()) if (isWithin(path, scope)) candidates.add(path);
    for (const path of [...this.#problems.keys()]) if (isWithin(path, scope)) this.#problems.delete(path);
    const found = await kindOf(scope);
    if (found === "directory") await this.#walk(scope, candidates);
    else if (found instanceof Error) this.#addProblem(scope, "error", `cannot be read: ${found.message}`);
    else if (found === "nothing" && scope === this.#root)
      this.#addProblem(scope, "error", "there is no such file or directory");
    else if (found === "file" && (scope === this.#root || isObjectFileName(basename(scope)))) candidates.add(scope);
  }

  async #walk(directory: string, candidates: Set<string>): Promise<void> {
    const walk = await walkDirectory(directory, { root: this.#root, onDirectory: this.#onDirectory });
    for (const file of walk.files) candidates.add(file);
    for (const { path, severity, message } of walk.problems) this.#addProblem(path, severity, message);
  }

  async #readFiles(paths: readonly string[]): Promise<FolderChange> {
    const pacer = new Pacer();
    const changed: string[] = [];
    const unsure = new Set<string>();
    for (let start = 0; start < paths.length; start += readsAtOnce) {
      const batch = paths.slice(start, start + readsAtOnce);
      const states = await Promise.all(
        batch.map((path) =>
          readObjectFile(path, this.#files.get(path), { pacer, mostBytes: this.#limits.mostFileBytes }),
        ),
      );
      for (const [index, path] of batch.entries()) {
        const previous = this.#files.get(path);
        const next = this.#keep(path, states[index]);
        if (previous?.digest === next?.digest) continue;
        changed.push(path);
        if (isUnsure(previous, next)) unsure.add(path);
      }
    }
    return { changed, unsure };
  }

  /** Puts a state in its place; too many files are refused, not read in part without a word. */
  #keep(path: string, state: FileState | undefined): FileState | undefined {
    if (state === undefined) this.#files.delete(path);
    else if (this.#files.has(path) || this.#files.size < this.#limits.mostFiles) this.#files.set(path, state);
    else this.#addProblem(this.#root, "error", `holds more than ${this.#limits.mostFiles} files`);
    return this.#files.get(path);
  }

  #addProblem(path: string, severity: Problem["severity"], message: string): void {
    const source = { file: this.toName(path), line: 1, column: 1 };
    this.#problems.set(path, { code: "unreadable-file", severity, message, source });
  }

  /** The path as users see it: starting as they wrote the root. */
  toName(path: string): string {
    return path === this.#root ? this.#name : join(this.#name, relative(this.#root, path));
  }
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? directory : `${directory}/`);
}

/** Whether the file may be in the middle of being written: cut off, gone for a moment, or with less in it than before. */
function isUnsure(previous: FileState | undefined, next: FileState | undefined): boolean {
  if (next === undefined || next.isRagged) return true;
  const hasErrors = next.chunks.some(({ chunk }) => chunk.problems.some(({ severity }) => severity === "error"));
  return hasErrors || countObjects(next) < countObjects(previous);
}

function countObjects(state: FileState | undefined): number {
  return (state?.chunks ?? []).reduce((sum, { chunk }) => sum + chunk.objects.length, 0);
}
