/** What the parts of the CEL compiler share: types, scopes, and the names of field paths. */
import type { ASTNode } from "@marcbachmann/cel-js";
import type { Schema } from "./schema.ts";

/** The static type of a CEL expression. */
export type CelType =
  | { readonly kind: "bool" | "int" | "double" | "string" | "duration" | "int-or-string" | "opaque" }
  | { readonly kind: "list"; readonly item: CelType }
  | { readonly kind: "map"; readonly value: CelType }
  | { readonly kind: "object"; readonly schema: Schema };

/** A compiled expression. */
export interface Code {
  readonly js: string;
  readonly type: CelType;
  readonly canThrow: boolean;
}

/** What the rules of one kind share: definitions to resolve, runtime functions to import, patterns to compile once. */
export interface Program {
  readonly definitions: Readonly<Record<string, Schema>>;
  readonly functions: Set<string>;
  readonly patterns: Map<string, string>;
}

/** What an expression can see. */
export interface Scope {
  readonly variables: ReadonlyMap<string, CelType>;
  /** Paths already known to be there, as CEL text. */
  readonly present: ReadonlySet<string>;
  readonly program: Program;
  /** Compiles a part of the expression. */
  readonly compile: (node: ASTNode, scope: Scope) => Code;
}

/** The variable `name` bound to `type` inside a macro. */
export function bindVariable(scope: Scope, name: string, type: CelType): Scope {
  if (scope.variables.has(name)) throw new Error(`variable ${name} is declared twice`);
  return { ...scope, variables: new Map([...scope.variables, [name, type]]) };
}

/** The scope in which `test` is known to have come out as `outcome`. */
export function assumeOutcome(scope: Scope, test: ASTNode, outcome: boolean): Scope {
  return { ...scope, present: new Set([...scope.present, ...factsOf(test, outcome)]) };
}

/** `a.b` of nested field selections; undefined for any other expression. */
export function toPathText(node: ASTNode): string | undefined {
  if (node.op === "id") return node.args;
  if (node.op === "[]") {
    const base = toPathText(node.args[0]);
    return base !== undefined && node.args[1].op === "value" ? `${base}[${String(node.args[1].args)}]` : undefined;
  }
  if (node.op !== ".") return undefined;
  const base = toPathText(node.args[0]);
  return base === undefined ? undefined : `${base}.${unescapeField(node.args[1])}`;
}

/** CEL names of fields that are reserved words are written `__name__`. */
export function unescapeField(name: string): string {
  const plain = /^__([a-z]+)__$/.exec(name)?.[1] ?? name;
  if (plain.includes("__")) throw new Error(`escaped field ${name} is not understood`);
  return plain;
}

/** Paths that are certainly there if `test` came out as `outcome`. */
function factsOf(test: ASTNode, outcome: boolean): string[] {
  if (test.op === "!_") return factsOf(test.args, !outcome);
  if ((test.op === "&&" && outcome) || (test.op === "||" && !outcome))
    return test.args.flatMap((side) => factsOf(side, outcome));
  if (test.op !== "call" || test.args[0] !== "has" || !outcome) return [];
  const path = test.args[1][0] === undefined ? undefined : toPathText(test.args[1][0]);
  return path === undefined ? [] : [path];
}
