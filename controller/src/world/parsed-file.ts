/** One file as objects and findings, document by document, so that what did not change need not be read again. */
import { hash } from "node:crypto";
import type { ProblemCode } from "@sallyport/model/problem";
import { decodeObject } from "../kube/decode.ts";
import type { FieldIssue } from "../kube/field-issue.ts";
import { formatFieldPath, isRecord } from "../kube/field-path.ts";
import type { FieldPath } from "../kube/field-path.ts";
import { identifyObject } from "../kube/identify.ts";
import { kinds } from "../kube/kinds.ts";
import type { KindName, KubeObject } from "../kube/kinds.ts";
import type { Pacer } from "./pacer.ts";
import { parseYamlInSteps } from "./yaml-document.ts";
import type { Position, YamlDocument } from "./yaml-document.ts";
import { splitYaml } from "./yaml-split.ts";

/** An object and where in its chunk it begins. */
export interface ParsedObject {
  readonly kind: KindName;
  readonly object: KubeObject;
  readonly position: Position;
}

/** A finding and where in its chunk it is. */
export interface ParsedProblem {
  readonly code: ProblemCode;
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly position: Position;
  readonly object?: { readonly kind: KindName; readonly namespace: string; readonly name: string };
  readonly path?: string;
  readonly hint?: string;
}

/** An object of a kind that is not read. */
export interface SkippedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly position: Position;
}

/** What a chunk of a file holds. Positions count from the start of the chunk, so they stay true when it moves. */
export interface ParsedChunk {
  readonly digest: string;
  readonly objects: readonly ParsedObject[];
  readonly problems: readonly ParsedProblem[];
  readonly skipped: readonly SkippedObject[];
}

/** A chunk at its place. */
export interface PlacedChunk {
  /** Line of the file, from 1, at which the chunk begins. */
  readonly line: number;
  readonly chunk: ParsedChunk;
}

/** Parses a file's text. Chunks that `previous` has with the same text are taken over as they are. */
export async function parseFile(
  text: string,
  previous: readonly PlacedChunk[],
  pacer: Pacer,
): Promise<readonly PlacedChunk[]> {
  const known = new Map(previous.map(({ chunk }) => [chunk.digest, chunk]));
  const placed: PlacedChunk[] = [];
  for (const { text: part, line } of splitYaml(text)) {
    const digest = hash("sha256", part, "base64");
    const chunk = known.get(digest) ?? (await parseChunk(part, digest, pacer));
    placed.push({ line, chunk });
    await pacer.breathe();
  }
  return placed;
}

async function parseChunk(text: string, digest: string, pacer: Pacer): Promise<ParsedChunk> {
  const collector = new ChunkCollector(pacer);
  const steps = parseYamlInSteps(text);
  let step = steps.next();
  while (step.done !== true) {
    await pacer.breathe();
    step = steps.next();
  }
  for (const document of step.value) await collector.addDocument(document);
  const { objects, problems, skipped } = collector;
  return { digest, objects, problems, skipped };
}

/** Collects what the documents of one chunk hold. */
class ChunkCollector {
  readonly objects: ParsedObject[] = [];
  readonly problems: ParsedProblem[] = [];
  readonly skipped: SkippedObject[] = [];
  readonly #pacer: Pacer;

  constructor(pacer: Pacer) {
    this.#pacer = pacer;
  }

  async addDocument(document: YamlDocument): Promise<void> {
    for (const { message, hint, line, column } of document.problems) {
      const problem = { code: "yaml-syntax", severity: "error", message, position: { line, column } } as const;
      this.problems.push(hint === undefined ? problem : { ...problem, hint });
    }
    if (document.problems.length === 0 && document.value !== null) await this.#addValue(document.value, document, []);
  }

  async #addValue(value: unknown, document: YamlDocument, base: FieldPath): Promise<void> {
    const identity = identifyObject(value);
    switch (identity.is) {
      case "broken":
        this.#addIssue(identity.issue, document, base);
        return;
      case "other":
        this.skipped.push({ ...identity, position: document.locate(base, "value") });
        return;
      case "list":
        for (const [index, item] of identity.items.entries()) {
          await this.#addValue(item, document, [...base, "items", index]);
          await this.#pacer.breathe();
        }
        return;
      case "object":
        await this.#addObject(identity.kind, identity.value, { document, base });
    }
  }

  async #addObject(
    kind: KindName,
    raw: Record<string, unknown>,
    { document, base }: { readonly document: YamlDocument; readonly base: FieldPath },
  ): Promise<void> {
    const object = toReference(kind, raw);
    const decoded = await decodeObject(kind, raw, "strict");
    for (const issue of decoded.issues) this.#addIssue(issue, document, base, object);
    if (decoded.object === undefined) return;
    this.objects.push({ kind, object: decoded.object, position: document.locate(base, "value") });
  }

  #addIssue(issue: FieldIssue, document: YamlDocument, base: FieldPath, object?: ParsedProblem["object"]): void {
    const { code, severity, message, path, at, hint } = issue;
    const position = document.locate([...base, ...path], at);
    this.problems.push({
      ...{ code, severity, message, position },
      ...(path.length === 0 ? {} : { path: formatFieldPath(path) }),
      ...(hint === undefined ? {} : { hint }),
      ...(object === undefined ? {} : { object }),
    });
  }
}

/** What an object calls itself, before anything of it is checked. */
function toReference(kind: KindName, raw: Record<string, unknown>): ParsedProblem["object"] {
  const metadata = isRecord(raw["metadata"]) ? raw["metadata"] : {};
  const { name, namespace } = metadata;
  if (typeof name !== "string" || name === "") return undefined;
  const inNamespace = typeof namespace === "string" && namespace !== "" ? namespace : "default";
  return { kind, namespace: kinds[kind].namespaced ? inNamespace : "", name };
}
