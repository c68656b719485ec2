/** Parses YAML (or JSON) text into plain values that remember where everything stands. Hostile text gives problems. */
import { Composer, Lexer, Parser, isAlias, isMap, isScalar, isSeq } from "yaml";
import type { CST, Document, YAMLMap } from "yaml";
import type { FieldPath, PathStep } from "../kube/field-path.ts";
import { YamlReader, isMergeKey, toOffset } from "./yaml-reader.ts";

/** A position inside the parsed text; lines and columns count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What is wrong with the text itself. */
export interface YamlProblem extends Position {
  readonly message: string;
  readonly hint?: string;
}

/** Most problems reported for one document: after a wrong indentation everything seems wrong. */
const mostProblems = 5;

/** Most characters of one document: no single object may be as large in a cluster. */
export const mostDocumentCharacters = 2 * 1024 * 1024;

/** Deepest nesting of the parser, which counts a map in a list as two; the deepest field of any kind is at about 15. */
const deepestNesting = 200;

/** How many lexical elements are read in one step. */
const stepLexemes = 500;

/** All documents of the text. Where the text is broken, the value of the document is undefined. */
export function parseYaml(text: string): readonly YamlDocument[] {
  const steps = parseYamlInSteps(text);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** The same in steps of less than a millisecond, so that other work can be done in between. */
export function* parseYamlInSteps(text: string): Generator<void, readonly YamlDocument[]> {
  const lines = new LineTable(text);
  if (text.length > mostDocumentCharacters) return [refuse(lines, 0, toTooLong(text.length))];
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let count = 0;
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > deepestNesting)
      return [refuse(lines, parser.offset, { message: "is nested too deeply" })];
    if (++count % stepLexemes === 0) yield;
  }
  tokens.push(...parser.end());
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false, logLevel: "silent" });
  const documents: YamlDocument[] = [];
  for (const document of composer.compose(tokens)) {
    documents.push(readDocument(document, lines));
    yield;
  }
  return documents;
}

function refuse(lines: LineTable, offset: number, problem: { message: string; hint?: string }): YamlDocument {
  return new YamlDocument({ problems: [{ ...lines.toPosition(offset), ...problem }], lines });
}

function toTooLong(length: number): { message: string; hint: string } {
  const hint = "put --- lines between objects; a List may be split into several";
  return { message: `is a document of ${length} characters; at most ${mostDocumentCharacters} are read`, hint };
}

interface DocumentParts {
  readonly value?: unknown;
  readonly problems: readonly YamlProblem[];
  readonly lines: LineTable;
  readonly root?: unknown;
  readonly reader?: YamlReader;
}

/** One document. */
export class YamlDocument {
  /** The plain value; undefined if there are problems. */
  readonly value: unknown;
  readonly problems: readonly YamlProblem[];
  readonly #parts: DocumentParts;

  /** Use `parseYaml`. */
  constructor(parts: DocumentParts) {
    this.value = parts.problems.length > 0 ? undefined : parts.value;
    this.problems = parts.problems;
    this.#parts = parts;
  }

  /** Where the value at the path, or the name of that field, stands; the nearest thing around it if it is not there. */
  locate(path: FieldPath, at: "name" | "value"): Position {
    const { lines, root, reader } = this.#parts;
    let node = root;
    let offset = toOffset(root);
    for (const [index, step] of path.entries()) {
      const found = reader === undefined ? undefined : findChild(node, step, reader);
      if (found === undefined) break;
      const isLast = index === path.length - 1;
      offset = toOffset(isLast && at === "name" ? found.name : (found.value ?? found.name));
      node = found.value;
    }
    return lines.toPosition(offset);
  }
}

function readDocument(document: Document.Parsed, lines: LineTable): YamlDocument {
  const complaints = [...document.errors, ...document.warnings];
  if (complaints.length > 0) {
    const problems = complaints.slice(0, mostProblems).map((complaint) => {
      const position = lines.toPosition(complaint.pos[0]);
      const hint = syntaxHints[complaint.code];
      return { ...position, message: toMessage(complaint.message), ...(hint === undefined ? {} : { hint }) };
    });
    return new YamlDocument({ problems, lines });
  }
  const reader = new YamlReader();
  const value = reader.read(document.contents);
  const problems = reader.problems
    .slice(0, mostProblems)
    .map(({ offset, message }) => ({ ...lines.toPosition(offset), message }));
  return new YamlDocument({ value, problems, lines, root: document.contents, reader });
}

const syntaxHints: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "indent with spaces",
  BLOCK_AS_IMPLICIT_KEY: "a value with a colon in it needs quotes; a nested map needs a line of its own",
  MULTILINE_IMPLICIT_KEY: 'is a ":" missing at the end of a field name?',
  BAD_SCALAR_START: "put the value in quotes",
  TAG_RESOLVE_FAILED: "tags (!name) are not supported",
};

/** The parser's sentence as the middle of ours: lower case, no full stop, and no quoted source, which may be a secret. */
function toMessage(sentence: string): string {
  const line = sentence
    .replace(/: ".*$/s, "")
    .replace(/(extra characters).*$/s, "$1")
    .replace(/\.$/, "");
  return line.charAt(0).toLowerCase() + line.slice(1);
}

interface Child {
  readonly name: unknown;
  readonly value: unknown;
}

function findChild(parent: unknown, step: PathStep, reader: YamlReader): Child | undefined {
  const node = isAlias(parent) ? reader.resolve(parent) : parent;
  if (typeof step === "number") {
    const item = isSeq(node) ? node.items[step] : undefined;
    return item === undefined ? undefined : { name: item, value: item };
  }
  return isMap(node) ? findField(node, step, reader) : undefined;
}

function findField(map: YAMLMap, name: string, reader: YamlReader): Child | undefined {
  const pair = map.items.find(({ key }) => isScalar(key) && String(key.value) === name);
  if (pair !== undefined) return { name: pair.key, value: pair.value };
  for (const { key, value } of map.items) {
    if (!isMergeKey(key)) continue;
    for (const source of isSeq(value) ? value.items : [value]) {
      const found = findChild(source, name, reader);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** Offsets of a text as lines and columns. */
class LineTable {
  readonly #text: string;
  #starts: readonly number[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  toPosition(offset: number): Position {
    this.#starts ??= toLineStarts(this.#text);
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 };
  }
}

function toLineStarts(text: string): number[] {
  const starts = [0];
  for (let index = text.indexOf("\n"); index !== -1; index = text.indexOf("\n", index + 1)) starts.push(index + 1);
  return starts;
}
