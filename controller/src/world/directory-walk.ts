/** Finds the object files of a directory tree. Links are followed, but never in a circle; hidden names are left out. */
import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { dirname, extname, join } from "node:path";

/** Something of the tree that cannot be read. */
export interface WalkProblem {
  readonly path: string;
  readonly severity: "error" | "warning";
  readonly message: string;
}

/** Outcome of a walk. */
export interface DirectoryWalk {
  readonly files: readonly string[];
  readonly problems: readonly WalkProblem[];
}

/** What a walk needs to know. */
export interface WalkOptions {
  /** Top of the tree the directory is part of. */
  readonly root: string;
  /** Called with each directory before it is read. */
  readonly onDirectory: (path: string) => void;
}

const extensions = new Set([".yaml", ".yml", ".json"]);

/** Whether the name is of a kind of file that is read. */
export function isObjectFileName(name: string): boolean {
  return extensions.has(extname(name)) && !isHidden(name);
}

/** Whether the name is hidden, as the files of editors and of mounted ConfigMaps are that users do not mean. */
export function isHidden(name: string): boolean {
  return name.startsWith(".");
}

/** Whether an error of the file system says that there is nothing at the path. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

/** What is at a path, links followed. */
export type PathKind = "file" | "directory" | "nothing" | Error;

/** Looks what is at a path. The error if that cannot be told; it does not say that there is nothing. */
export async function kindOf(path: string): Promise<PathKind> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) return "directory";
    return stats.isFile() ? "file" : "nothing";
  } catch (error) {
    if (isGone(error)) return "nothing";
    if (error instanceof Error) return error;
    throw error;
  }
}

/** All object files at and below a directory. */
export async function walkDirectory(directory: string, options: WalkOptions): Promise<DirectoryWalk> {
  const walker = new Walker(options);
  await walker.walk(directory, await realPathsAbove(directory, options.root));
  return walker;
}

class Walker implements DirectoryWalk {
  readonly files: string[] = [];
  readonly problems: WalkProblem[] = [];
  readonly #options: WalkOptions;

  constructor(options: WalkOptions) {
    this.#options = options;
  }

  async walk(directory: string, above: ReadonlySet<string>): Promise<void> {
    const real = await realPathOf(directory);
    if (real === undefined || above.has(real)) return;
    this.#options.onDirectory(directory);
    const entries = await this.#read(directory);
    const inside = new Set([...above, real]);
    for (const entry of entries) if (!isHidden(entry.name)) await this.#visit(directory, entry, inside);
  }

  async #visit(directory: string, entry: Dirent, above: ReadonlySet<string>): Promise<void> {
    const path = join(directory, entry.name);
    const kind = entry.isSymbolicLink() ? await kindOf(path) : toKind(entry);
    if (kind === "directory") await this.walk(path, above);
    else if (!isObjectFileName(entry.name)) return;
    else if (kind === "file") this.files.push(path);
    else if (kind === "nothing") this.#addProblem(path, "warning", "is no file, or a link to none");
    else this.#addProblem(path, "error", `cannot be read: ${kind.message}`);
  }

  async #read(directory: string): Promise<readonly Dirent[]> {
    try {
      return await readdir(directory, { withFileTypes: true });
    } catch (error) {
      if (!isGone(error)) this.#addProblem(directory, "error", `cannot be read: ${String(error)}`);
      return [];
    }
  }

  #addProblem(path: string, severity: WalkProblem["severity"], message: string): void {
    this.problems.push({ path, severity, message });
  }
}

function toKind(entry: Dirent): PathKind {
  if (entry.isDirectory()) return "directory";
  return entry.isFile() ? "file" : "nothing";
}

async function realPathOf(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch {
    return undefined;
  }
}

async function realPathsAbove(directory: string, root: string): Promise<ReadonlySet<string>> {
  const above = new Set<string>();
  for (let path = directory; path !== root && path.length > root.length;) {
    path = dirname(path);
    const real = await realPathOf(path);
    if (real !== undefined) above.add(real);
  }
  return above;
}
