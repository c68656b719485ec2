/** Objects from YAML text, decoded as file mode decodes them, for tests of what reads a world. */
import type { Problem } from "@sallyport/model/problem";
import { parseAllDocuments } from "yaml";
import { decodeObject } from "../src/kube/decode.ts";
import type { KindName } from "../src/kube/kinds.ts";
import { assembleFiles } from "../src/world/assemble.ts";
import { type AnyWorldObject, indexWorld, type IndexedWorld } from "../src/world/indexed-world.ts";
import { Pacer } from "../src/world/pacer.ts";
import { parseFile } from "../src/world/parsed-file.ts";

/** The world of some YAML documents as an API server has them: statuses are kept, and `creationTimestamp` is the age. */
export async function loadClusterWorld(text: string): Promise<IndexedWorld> {
  const objects = parseAllDocuments(text).map(async (document): Promise<AnyWorldObject> => {
    const raw = document.toJS() as Record<string, unknown>;
    const kind = raw["kind"] as KindName;
    const { object, issues } = await decodeObject(kind, raw, "lenient");
    if (object === undefined) throw new Error(`${kind}: ${JSON.stringify(issues)}`);
    const { namespace, name, creationTimestamp: age = "" } = object.metadata;
    return { kind, namespace, name, object, age } as AnyWorldObject;
  });
  return indexWorld(await Promise.all(objects));
}

/** The world of some files, by name, and what decoding had to say; a broken object is not in the world. */
export async function loadWorld(
  files: Readonly<Record<string, string>>,
): Promise<{ readonly world: IndexedWorld; readonly problems: readonly Problem[] }> {
  const pacer = new Pacer();
  const named = Object.entries(files).map(async ([file, text]) => ({ file, chunks: await parseFile(text, [], pacer) }));
  const { objects, problems } = await assembleFiles(await Promise.all(named), pacer);
  return { world: indexWorld(objects), problems };
}
