/**
 * Turns the parsed nodes of one YAML document into plain values. Bounded in every direction: depth, how much aliases may
 * blow up, and no key twice, which the parser's own check does in quadratic time.
 */
import { isAlias, isMap, isScalar, isSeq } from "yaml";
import type { Alias, Node, Pair, YAMLMap } from "yaml";

/** Deepest nesting; the deepest field of any kind is at about 15. */
const deepest = 100;

/** Most nodes that all aliases of one document together may stand for. */
const mostAliasedNodes = 10_000;

/** Something the reader refuses, at an offset of the text. */
export interface ReadProblem {
  readonly offset: number;
  readonly message: string;
  readonly hint?: string;
}

/** Reads one document; use a new one for each. */
export class YamlReader {
  /** What was refused, in order. The value is of no use if there is any. */
  readonly problems: ReadProblem[] = [];
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  #aliasDepth = 0;
  #aliasedNodes = 0;

  /** The plain value of a node: text, number, boolean, null, list or map. */
  read(node: unknown, depth = 0): unknown {
    if (!isNode(node)) return null;
    if (depth > deepest) return this.#refuse(node, `is nested deeper than ${deepest} levels`);
    if (this.#aliasDepth > 0 && ++this.#aliasedNodes > mostAliasedNodes) return this.#refuseBomb(node);
    if (isAlias(node)) return this.#readAlias(node, depth);
    if (this.#aliasDepth === 0 && "anchor" in node && node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#readScalar(node.value, node);
    this.#open.add(node);
    const value = isMap(node) ? this.#readMap(node, depth) : this.#readList(node, depth);
    this.#open.delete(node);
    return value;
  }

  /** The node an alias stands for; after `read` only. */
  resolve(alias: Alias): Node | undefined {
    return this.#anchors.get(alias.source);
  }

  #readScalar(value: unknown, node: Node): unknown {
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number") return value;
    return this.#refuse(node, "is a value that JSON does not have");
  }

  #readList(node: Node, depth: number): unknown[] {
    const items: readonly unknown[] = isSeq(node) ? node.items : [];
    return items.map((item) => this.read(item, depth + 1));
  }

  #readMap(node: YAMLMap, depth: number): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    const merged: Record<string, unknown>[] = [];
    for (const pair of node.items) {
      if (isMergeKey(pair.key)) merged.push(...this.#readMerge(pair, depth));
      else this.#readPair(map, pair, depth);
    }
    for (const source of merged)
      for (const [key, value] of Object.entries(source)) if (!Object.hasOwn(map, key)) map[key] = value;
    return map;
  }

  #readPair(map: Record<string, unknown>, pair: Pair, depth: number): void {
    const key = this.read(pair.key, depth + 1);
    const reason = toKeyProblem(map, key);
    if (reason === undefined) map[String(key)] = this.read(pair.value, depth + 1);
    else this.#refuse(isNode(pair.key) ? pair.key : pair.value, reason);
  }

  /** `<<: *map` or `<<: [*one, *two]`. */
  #readMerge(pair: Pair, depth: number): Record<string, unknown>[] {
    const value = this.read(pair.value, depth + 1);
    const sources: unknown[] = Array.isArray(value) ? value : [value];
    if (!sources.every((source) => isPlainMap(source))) {
      this.#refuse(pair.value, "<< takes a map or a list of maps");
      return [];
    }
    return sources;
  }

  #readAlias(alias: Alias, depth: number): unknown {
    const target = this.#anchors.get(alias.source);
    if (target === undefined) return this.#refuse(alias, `there is no anchor &${alias.source} before this alias`);
    if (this.#open.has(target)) return this.#refuse(alias, `the alias *${alias.source} contains itself`);
    this.#aliasDepth++;
    const value = this.read(target, depth);
    this.#aliasDepth--;
    return value;
  }

  #refuse(node: unknown, message: string): undefined {
    this.problems.push({ offset: toOffset(node), message });
    return undefined;
  }

  #refuseBomb(node: Node): undefined {
    const isFirst = this.#aliasedNodes === mostAliasedNodes + 1;
    if (isFirst) this.#refuse(node, `aliases stand for more than ${mostAliasedNodes} values`);
    return undefined;
  }
}

/** Offset of the text at which a node begins. */
export function toOffset(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

function isNode(value: unknown): value is Node {
  return isMap(value) || isSeq(value) || isScalar(value) || isAlias(value);
}

function toKeyProblem(map: Record<string, unknown>, key: unknown): string | undefined {
  if (typeof key === "object" && key !== null) return "a key must be a text";
  const name = String(key);
  if (name === "__proto__") return "the key __proto__ is not allowed";
  return Object.hasOwn(map, name) ? `the key ${JSON.stringify(name)} is there twice` : undefined;
}

/** Whether a key is `<<`, unquoted. */
export function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === "<<" && key.type === "PLAIN";
}

function isPlainMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
