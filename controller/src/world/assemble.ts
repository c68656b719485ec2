/** Puts parsed files together: all objects, and everything there is to say about the files. */
import type { ObjectRef, Problem, SourceLocation } from "@sallyport/model/problem";
import { readableKinds } from "../kube/identify.ts";
import { kinds } from "../kube/kinds.ts";
import type { KindName } from "../kube/kinds.ts";
import type { AnyWorldObject } from "./indexed-world.ts";
import type { ParsedObject, ParsedProblem, PlacedChunk, SkippedObject } from "./parsed-file.ts";
import type { Pacer } from "./pacer.ts";
import type { Position } from "./yaml-document.ts";

/** A parsed file under the name users see. */
export interface NamedFile {
  readonly file: string;
  readonly chunks: readonly PlacedChunk[];
}

/** Outcome of putting files together. */
export interface Assembly {
  readonly objects: readonly AnyWorldObject[];
  readonly problems: readonly Problem[];
}

/** Objects and problems of all files. The order of files, then of documents, is the age of objects without timestamp. */
export async function assembleFiles(files: readonly NamedFile[], pacer: Pacer): Promise<Assembly> {
  const assembler = new Assembler();
  for (const { file, chunks } of files) {
    for (const placed of chunks) {
      assembler.addChunk(file, placed);
      await pacer.breathe();
    }
  }
  return { objects: assembler.objects, problems: [...assembler.problems, ...assembler.toSkipNotes()] };
}

/** The wrapper made for an object last time, kept as long as nothing about it changes. */
const wrappers = new WeakMap<object, AnyWorldObject>();

interface Skipped {
  readonly first: SourceLocation;
  readonly apiVersion: string;
  readonly kind: string;
  count: number;
}

class Assembler {
  readonly objects: AnyWorldObject[] = [];
  readonly problems: Problem[] = [];
  readonly #sources = new Map<string, SourceLocation>();
  readonly #skipped = new Map<string, Skipped>();
  #file = "";
  #order = 0;

  addChunk(file: string, { line, chunk }: PlacedChunk): void {
    if (file !== this.#file) this.#order = 0;
    this.#file = file;
    const toSource = (position: Position): SourceLocation => ({
      file,
      line: line + position.line - 1,
      column: position.column,
    });
    for (const problem of chunk.problems) this.problems.push(toProblem(problem, toSource(problem.position)));
    for (const skipped of chunk.skipped) this.#addSkipped(skipped, toSource(skipped.position));
    for (const parsed of chunk.objects) this.#addObject(parsed, toSource(parsed.position));
  }

  /** One warning for each kind of objects that were left out. */
  toSkipNotes(): Problem[] {
    return [...this.#skipped.values()].map(({ first, apiVersion, kind, count }) => {
      const objects =
        count === 1 ? `${kind} (${apiVersion}) is` : `${count} objects of kind ${kind} (${apiVersion}) are`;
      return {
        code: "unsupported-kind",
        severity: "warning",
        message: `${objects} not used`,
        source: first,
        hint: `the kinds that are read: ${readableKinds}`,
      };
    });
  }

  #addSkipped({ apiVersion, kind }: SkippedObject, source: SourceLocation): void {
    const key = `${apiVersion} ${kind}`;
    const known = this.#skipped.get(key);
    if (known === undefined) this.#skipped.set(key, { first: source, apiVersion, kind, count: 1 });
    else known.count++;
  }

  #addObject(parsed: ParsedObject, source: SourceLocation): void {
    const { namespace, name } = parsed.object.metadata;
    const key = `${parsed.kind}/${namespace}/${name}`;
    const other = this.#sources.get(key);
    if (other === undefined) {
      this.#sources.set(key, source);
      this.objects.push(wrapObject(parsed, source, this.#order++));
      return;
    }
    const message = `is defined twice: also at ${other.file}:${other.line}:${other.column}`;
    const object = toObjectRef(parsed.kind, namespace, name);
    this.problems.push({ code: "duplicate-object", severity: "error", message, object, source });
  }
}

function wrapObject(parsed: ParsedObject, source: SourceLocation, order: number): AnyWorldObject {
  const { kind, object } = parsed;
  const { namespace, name } = object.metadata;
  const age = toAge(object.metadata.creationTimestamp, source.file, order);
  const known = wrappers.get(object);
  if (known?.age === age && isSameSource(known.source, source)) return known;
  // The decoder gives each object the kind it was asked for.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const wrapper = { kind, namespace, name, object, age, source } as AnyWorldObject;
  wrappers.set(object, wrapper);
  return wrapper;
}

function isSameSource(left: SourceLocation | undefined, right: SourceLocation): boolean {
  return left?.file === right.file && left.line === right.line && left.column === right.column;
}

/** Objects with a timestamp are older than those that nobody has created yet; these are in order of file and document. */
function toAge(timestamp: string | undefined, file: string, order: number): string {
  if (timestamp !== undefined && !Number.isNaN(Date.parse(timestamp))) return new Date(timestamp).toISOString();
  return `~${file}\0${String(order).padStart(7, "0")}`;
}

function toProblem(problem: ParsedProblem, source: SourceLocation): Problem {
  const { position: _, object, ...rest } = problem;
  if (object === undefined) return { ...rest, source };
  return { ...rest, source, object: toObjectRef(object.kind, object.namespace, object.name) };
}

function toObjectRef(kind: KindName, namespace: string, name: string): ObjectRef {
  return { group: kinds[kind].group, kind, namespace, name };
}
