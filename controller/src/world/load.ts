/** Reads a directory of object files into a world, once. */
import type { Problem } from "@sallyport/model/problem";
import { Folder, defaultFolderLimits } from "./folder.ts";
import type { FolderLimits } from "./folder.ts";
import { indexWorld } from "./indexed-world.ts";
import type { IndexedWorld } from "./indexed-world.ts";

/** Outcome of reading a directory. */
export interface LoadedWorld {
  /** The world; absent if some problem is an error. */
  readonly world?: IndexedWorld;
  readonly problems: readonly Problem[];
}

/**
 * Reads every `.yaml`, `.yml` and `.json` file at and below `path` (or `path` itself if it is a file). Never rejects for what
 * the files hold: that is in `problems`.
 */
export async function loadWorld(path: string, limits: FolderLimits = defaultFolderLimits): Promise<LoadedWorld> {
  const folder = new Folder(path, limits);
  await folder.updateAll();
  return buildWorld(folder);
}

/** The world of a folder as last read. Parts that are the same in `previous` are shared with it. */
export async function buildWorld(folder: Folder, previous?: IndexedWorld): Promise<LoadedWorld> {
  const { objects, problems } = await folder.assemble();
  if (problems.some(({ severity }) => severity === "error")) return { problems };
  return { world: indexWorld(objects, previous), problems };
}
