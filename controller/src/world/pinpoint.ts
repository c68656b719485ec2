/**
 * Points problems that translation found at the line of their field. Objects carry only where they begin: positions of all
 * fields of all objects would cost far more memory than reading the few documents with problems once more.
 */
import { readFile } from "node:fs/promises";
import type { Problem, SourceLocation } from "@sallyport/model/problem";
import { isRecord, parseFieldPath } from "../kube/field-path.ts";
import type { FieldPath } from "../kube/field-path.ts";
import { Pacer } from "./pacer.ts";
import { parseYaml } from "./yaml-document.ts";
import type { Position, YamlDocument } from "./yaml-document.ts";
import { splitYaml } from "./yaml-split.ts";
import type { Chunk } from "./yaml-split.ts";

/** More problems than this are left at the start of their object: nobody reads them all. */
const MOST_PINPOINTED = 200;

/** The problems with `source` at the field their `path` names, where the file still has the object at that place. */
export async function pinpointProblems(problems: readonly Problem[]): Promise<readonly Problem[]> {
  const files = new Map<string, readonly Chunk[]>();
  const pacer = new Pacer();
  const pinpointed: Problem[] = [];
  for (const problem of problems) {
    const { source, path } = problem;
    if (source === undefined || path === undefined || pinpointed.length >= MOST_PINPOINTED) {
      pinpointed.push(problem);
      continue;
    }
    const chunks = files.get(source.file) ?? (await readChunks(source.file));
    files.set(source.file, chunks);
    pinpointed.push({ ...problem, source: locate(chunks, source, path) ?? source });
    await pacer.breathe();
  }
  return pinpointed;
}

/** A file that is gone by now has no documents: the start of the object has to do. */
async function readChunks(file: string): Promise<readonly Chunk[]> {
  try {
    return splitYaml((await readFile(file, "utf8")).replace(/^\uFEFF/, ""));
  } catch {
    return [];
  }
}

function locate(chunks: readonly Chunk[], source: SourceLocation, text: string): SourceLocation | undefined {
  const path = parseFieldPath(text);
  const chunk = chunks.findLast(({ line }) => line <= source.line);
  if (path === undefined || chunk === undefined) return undefined;
  const start: Position = { line: source.line - chunk.line + 1, column: source.column };
  for (const document of parseYaml(chunk.text)) {
    const base = basesOf(document).find((candidate) => isAt(document, candidate, start));
    if (base === undefined) continue;
    const { line, column } = document.locate([...base, ...path], "value");
    return { file: source.file, line: chunk.line + line - 1, column };
  }
  return undefined;
}

/** Where objects may begin in a document: at its top, or at each item of a List. */
function basesOf({ value }: YamlDocument): readonly FieldPath[] {
  const items = isRecord(value) && Array.isArray(value["items"]) ? value["items"] : [];
  return [[], ...items.map((_, index) => ["items", index])];
}

function isAt(document: YamlDocument, path: FieldPath, position: Position): boolean {
  const { line, column } = document.locate(path, "value");
  return line === position.line && column === position.column;
}
