/**
 * Points problems that translation found at the line of their field. Objects carry only where they begin: positions of all
 * fields of all objects would cost far more memory than reading the few files with problems once more.
 */
import { readFile } from "node:fs/promises";
import type { Problem, SourceLocation } from "@sallyport/model/problem";
import { isRecord, parseFieldPath } from "../kube/field-path.ts";
import type { FieldPath } from "../kube/field-path.ts";
import { parseYaml } from "./yaml-document.ts";
import type { YamlDocument } from "./yaml-document.ts";

/** More problems than this are left at the start of their object: nobody reads them all. */
const MOST_PINPOINTED = 200;

/** The problems with `source` at the field their `path` names, where the file still has the object at that place. */
export async function pinpointProblems(problems: readonly Problem[]): Promise<readonly Problem[]> {
  const files = new Map<string, readonly YamlDocument[]>();
  const pinpointed: Problem[] = [];
  for (const problem of problems) {
    const { source, path } = problem;
    if (source === undefined || path === undefined || pinpointed.length >= MOST_PINPOINTED) {
      pinpointed.push(problem);
      continue;
    }
    const documents = files.get(source.file) ?? (await readDocuments(source.file));
    files.set(source.file, documents);
    pinpointed.push({ ...problem, source: locate(documents, source, path) ?? source });
  }
  return pinpointed;
}

/** A file that is gone or broken by now has no documents: the start of the object has to do. */
async function readDocuments(file: string): Promise<readonly YamlDocument[]> {
  try {
    return parseYaml(await readFile(file, "utf8"));
  } catch {
    return [];
  }
}

function locate(documents: readonly YamlDocument[], source: SourceLocation, text: string): SourceLocation | undefined {
  const path = parseFieldPath(text);
  if (path === undefined) return undefined;
  for (const document of documents) {
    for (const base of basesOf(document)) {
      const { line, column } = document.locate(base, "value");
      if (line === source.line && column === source.column) {
        return { file: source.file, ...document.locate([...base, ...path], "value") };
      }
    }
  }
  return undefined;
}

/** Where objects begin in a document: at its top, or at each item of a List. */
function basesOf({ value }: YamlDocument): readonly FieldPath[] {
  if (!isRecord(value)) return [];
  const items = value["items"];
  return value["kind"] === "List" && Array.isArray(items) ? items.map((_, index) => ["items", index]) : [[]];
}
