/** Finds where the fields that problems are about stand in the files: translators know objects and paths only. */
import { readFile } from "node:fs/promises";
import type { Problem, SourceLocation } from "@sallyport/model/problem";
import { isRecord, parseFieldPath } from "../kube/field-path.ts";
import type { FieldPath } from "../kube/field-path.ts";
import { isKindName } from "../kube/kinds.ts";
import type { World } from "./world.ts";
import { parseYaml } from "./yaml-document.ts";
import type { Position, YamlDocument } from "./yaml-document.ts";
import { splitYaml } from "./yaml-split.ts";

/**
 * The problems with the place of their field, or of their object where the field is not found (it may have been edited
 * since). Problems that have a place, or are about no object of the world, stay as they are.
 */
export async function locateProblems(problems: readonly Problem[], world: World): Promise<readonly Problem[]> {
  const texts = new Map<string, string | undefined>();
  const located: Problem[] = [];
  for (const problem of problems) {
    const start = problem.source === undefined ? findObject(problem, world) : undefined;
    if (start === undefined) {
      located.push(problem);
      continue;
    }
    if (!texts.has(start.file)) texts.set(start.file, await readText(start.file));
    const source = locateField(texts.get(start.file), start, problem.path ?? "");
    located.push({ ...problem, source: source ?? start });
  }
  return located;
}

function findObject({ object }: Problem, world: World): SourceLocation | undefined {
  if (object === undefined || !isKindName(object.kind)) return undefined;
  return world.get(object.kind, object.namespace, object.name)?.source;
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, "utf8")).replace(/^\uFEFF/, "");
  } catch {
    // The file was removed since the world was read; the place of the object is all there is to say.
    return undefined;
  }
}

/** Place of a field of the object that begins at `start`. */
function locateField(text: string | undefined, start: SourceLocation, path: string): SourceLocation | undefined {
  const steps = parseFieldPath(path);
  if (text === undefined || steps === undefined) return undefined;
  const chunk = splitYaml(text).findLast(({ line }) => line <= start.line);
  if (chunk === undefined) return undefined;
  const wanted: Position = { line: start.line - chunk.line + 1, column: start.column };
  for (const document of parseYaml(chunk.text)) {
    const base = findBase(document, wanted);
    if (base === undefined) continue;
    const found = document.locate([...base, ...steps], "value");
    return { file: start.file, line: chunk.line + found.line - 1, column: found.column };
  }
  return undefined;
}

/** Path of the object that begins at the position: the document itself, or an item of a List. */
function findBase(document: YamlDocument, wanted: Position): FieldPath | undefined {
  const items = isRecord(document.value) && Array.isArray(document.value["items"]) ? document.value["items"] : [];
  const bases: FieldPath[] = [[], ...items.map((_, index) => ["items", index])];
  return bases.find((base) => {
    const { line, column } = document.locate(base, "value");
    return line === wanted.line && column === wanted.column;
  });
}
