/**
 * The walk of an object along which its rules are checked. The walk itself is generated; here is what it carries: the
 * path, and which parts are left out because their shape is already known to be wrong.
 */
import { isRecord } from "./field-path.ts";
import type { FieldPath, PathStep } from "./field-path.ts";
import { RuleError } from "./rule-functions.ts";

/** A compiled rule. `holds` expects a value that fits the schema the rule was compiled for. */
export interface Rule {
  readonly message: string;
  holds(self: unknown): boolean;
}

/** A rule that does not hold, or two list entries with one key. */
export interface Violation {
  readonly path: FieldPath;
  readonly message: string;
}

/** State of one walk. Generated code calls it; nothing else should. */
export class RuleWalk {
  readonly #path: PathStep[] = [];
  readonly #broken: readonly FieldPath[];
  readonly #violations: Violation[] = [];

  /** `broken` are the paths at which the object does not fit its schema: no rule is tried on what contains them. */
  constructor(broken: readonly FieldPath[]) {
    this.#broken = broken;
  }

  /** What was found, in walking order. */
  get violations(): readonly Violation[] {
    return this.#violations;
  }

  /** Goes down one step. */
  enter(step: PathStep): void {
    this.#path.push(step);
  }

  /** Goes up one step. */
  leave(): void {
    this.#path.pop();
  }

  /** Checks one rule on the value at the current path. */
  check(rule: Rule, value: unknown): void {
    if (this.#isBroken()) return;
    const outcome = evaluate(rule, value);
    if (outcome !== undefined) this.#violations.push({ path: [...this.#path], message: outcome });
  }

  /** Checks that no two entries of the list at the current path agree in all `keys` (list-type map) or at all (set). */
  unique(list: readonly unknown[], keys: readonly string[]): void {
    if (list.length < 2 || this.#isBroken()) return;
    const seen = new Map<string, number>();
    list.forEach((entry, index) => {
      const identity = toIdentity(entry, keys);
      const first = seen.get(identity);
      if (first === undefined) seen.set(identity, index);
      else this.#violations.push({ path: [...this.#path, index], message: toDuplicateMessage(keys, first) });
    });
  }

  #isBroken(): boolean {
    return this.#broken.some((path) => this.#path.every((step, index) => path[index] === step));
  }
}

/** The message of the violated rule; undefined if it holds. */
function evaluate(rule: Rule, value: unknown): string | undefined {
  try {
    return rule.holds(value) ? undefined : rule.message;
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return `${rule.message} (${error.message})`;
  }
}

function toIdentity(entry: unknown, keys: readonly string[]): string {
  if (keys.length === 0) return JSON.stringify(entry);
  return JSON.stringify(keys.map((key) => (isRecord(entry) ? entry[key] : null) ?? null));
}

function toDuplicateMessage(keys: readonly string[], first: number): string {
  const what = keys.length === 0 ? "value" : keys.join(" and ");
  return `${what} must be unique in the list; entry ${first} has the same`;
}
