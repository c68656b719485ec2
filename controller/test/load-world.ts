/** Objects from YAML text, decoded as file mode decodes them, for tests of what reads a world. */
import type { Problem } from "@sallyport/model/problem";
import { assembleFiles } from "../src/world/assemble.ts";
import { indexWorld, type IndexedWorld } from "../src/world/indexed-world.ts";
import { Pacer } from "../src/world/pacer.ts";
import { parseFile } from "../src/world/parsed-file.ts";

/** The world of some files, by name, and what decoding had to say; a broken object is not in the world. */
export async function loadWorld(
  files: Readonly<Record<string, string>>,
): Promise<{ readonly world: IndexedWorld; readonly problems: readonly Problem[] }> {
  const pacer = new Pacer();
  const named = Object.entries(files).map(async ([file, text]) => ({ file, chunks: await parseFile(text, [], pacer) }));
  const { objects, problems } = await assembleFiles(await Promise.all(named), pacer);
  return { world: indexWorld(objects), problems };
}
