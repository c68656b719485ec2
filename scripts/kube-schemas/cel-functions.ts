/** The functions, methods and macros of CEL that the rules use, as JavaScript. */
import type { ASTNode } from "@marcbachmann/cel-js";
import { bindVariable, toPathText } from "./cel-scope.ts";
import type { CelType, Code, Scope } from "./cel-scope.ts";

const bool: CelType = { kind: "bool" };

/** Names of global functions of one text argument, and what they are called at run time. */
const textFunctions: Readonly<
  Record<string, { readonly runtime: string; readonly type: CelType; readonly canThrow: boolean }>
> = {
  duration: { runtime: "duration", type: { kind: "duration" }, canThrow: true },
  isIP: { runtime: "isIpAddress", type: bool, canThrow: false },
  isIPv4: { runtime: "isIpv4Address", type: bool, canThrow: false },
  isCIDR: { runtime: "isAddressBlock", type: bool, canThrow: false },
  isIPv6: { runtime: "isIpv6Address", type: bool, canThrow: false },
};

/** `name(arguments)`. */
export function compileCall(name: string, args: readonly ASTNode[], scope: Scope): Code {
  const [argument, ...others] = args;
  if (argument === undefined || others.length > 0) throw new Error(`${name} takes one argument`);
  if (name === "has") return compileHas(argument, scope);
  const value = scope.compile(argument, scope);
  if (name === "size") return compileSize(value, scope);
  const known = textFunctions[name];
  if (known === undefined || value.type.kind !== "string") throw new Error(`function ${name} is not understood`);
  scope.program.functions.add(known.runtime);
  return { js: `${known.runtime}(${value.js})`, type: known.type, canThrow: known.canThrow || value.canThrow };
}

/** `receiver.name(arguments)`. */
export function compileMethod([name, receiver, args]: readonly [string, ASTNode, ASTNode[]], scope: Scope): Code {
  const value = toText(scope.compile(receiver, scope), scope);
  if (name === "size") return compileSize(value, scope);
  if (value.type.kind === "string") return compileTextMethod(name, value, args, scope);
  if (value.type.kind === "list") return compileMacro(name, value, args, { scope, item: value.type.item });
  if (value.type.kind !== "map") throw new Error(`${name} is not understood on a ${value.type.kind}`);
  const keys: Code = { ...value, js: `Object.keys(${value.js})` };
  return compileMacro(name, keys, args, { scope, item: { kind: "string" } });
}

/** Methods of what may be a number or a text are those of texts, and an error on a number. */
function toText(value: Code, scope: Scope): Code {
  if (value.type.kind !== "int-or-string") return value;
  scope.program.functions.add("textOf");
  return { js: `textOf(${value.js})`, type: { kind: "string" }, canThrow: true };
}

function compileHas(argument: ASTNode, scope: Scope): Code {
  if (argument.op !== ".") throw new Error("has() takes a field selection");
  const path = toPathText(argument);
  const present = path === undefined ? scope.present : new Set([...scope.present, path]);
  const selected = scope.compile(argument, { ...scope, present });
  return { js: `(${selected.js} !== undefined)`, type: bool, canThrow: selected.canThrow };
}

function compileSize(value: Code, scope: Scope): Code {
  const type: CelType = { kind: "int" };
  if (value.type.kind === "list") return { js: `${value.js}.length`, type, canThrow: value.canThrow };
  if (value.type.kind === "map") return { js: `Object.keys(${value.js}).length`, type, canThrow: value.canThrow };
  if (value.type.kind !== "string") throw new Error(`size of a ${value.type.kind}`);
  scope.program.functions.add("codePointLength");
  return { js: `codePointLength(${value.js})`, type, canThrow: value.canThrow };
}

function compileTextMethod(name: string, value: Code, args: readonly ASTNode[], scope: Scope): Code {
  const [argument] = args;
  if (argument === undefined || args.length !== 1) throw new Error(`${name} takes one argument`);
  if (name === "matches") return compileMatches(value, argument, scope);
  const operand = scope.compile(argument, scope);
  const canThrow = value.canThrow || operand.canThrow;
  switch (name) {
    case "contains":
      return { js: `${value.js}.includes(${operand.js})`, type: bool, canThrow };
    case "startsWith":
    case "endsWith":
      return { js: `${value.js}.${name}(${operand.js})`, type: bool, canThrow };
    case "split":
      return { js: `${value.js}.split(${operand.js})`, type: { kind: "list", item: { kind: "string" } }, canThrow };
    case "substring":
      scope.program.functions.add("substring");
      return { js: `substring(${value.js}, ${operand.js})`, type: { kind: "string" }, canThrow: true };
    default:
      throw new Error(`method ${name} is not understood`);
  }
}

function compileMatches(value: Code, argument: ASTNode, scope: Scope): Code {
  if (argument.op !== "value" || typeof argument.args !== "string") throw new Error("a pattern must be a literal");
  const pattern = emitPattern(argument.args);
  const { patterns } = scope.program;
  const name = patterns.get(pattern) ?? `rulePattern${patterns.size}`;
  patterns.set(pattern, name);
  return { js: `${name}.test(${value.js})`, type: bool, canThrow: value.canThrow };
}

/** No rule is about longer texts: paths and gRPC names may have this length. */
const longestText = 1024;

/** RE2 syntax -> a call that compiles the same in JavaScript: only the `(?i)` that one rule uses differs. */
function emitPattern(pattern: string): string {
  const ignoresCase = pattern.startsWith("^(?i)") || pattern.startsWith("(?i)");
  const plain = pattern.replace("(?i)", "");
  if (/\(\?[^:]|\\[pPAzQEC]|\[\[:/.test(plain)) throw new Error(`pattern is not understood: ${pattern}`);
  return `boundedPattern(${JSON.stringify(plain)}, ${JSON.stringify(ignoresCase ? "ui" : "u")}, ${longestText})`;
}

interface MacroContext {
  readonly scope: Scope;
  readonly item: CelType;
}

function compileMacro(name: string, list: Code, args: readonly ASTNode[], { scope, item }: MacroContext): Code {
  const [variable, body] = args;
  if (variable?.op !== "id" || body === undefined || args.length !== 2) throw new Error(`${name} is not understood`);
  const test = scope.compile(body, bindVariable(scope, variable.args, item));
  if (test.type.kind !== "bool") throw new Error(`${name} takes a boolean expression`);
  const macro = macros[name];
  if (macro === undefined) throw new Error(`macro ${name} is not understood`);
  const canThrow = list.canThrow || test.canThrow;
  const lambda = `(${variable.args}) => ${test.js}`;
  if (macro.method !== undefined && (macro.runtime === undefined || !test.canThrow))
    return { js: `${list.js}.${macro.method}(${lambda})`, type: macro.toType(item), canThrow };
  if (macro.runtime === undefined) throw new Error(`macro ${name} is not understood`);
  scope.program.functions.add(macro.runtime);
  return { js: `${macro.runtime}(${list.js}, ${lambda})`, type: macro.toType(item), canThrow };
}

interface Macro {
  /** The array method that does the same as long as the test cannot throw. */
  readonly method?: string;
  /** The runtime function for a test that can; without it errors just propagate. */
  readonly runtime?: string;
  readonly toType: (item: CelType) => CelType;
}

const macros: Readonly<Record<string, Macro>> = {
  all: { method: "every", runtime: "every", toType: () => bool },
  exists: { method: "some", runtime: "some", toType: () => bool },
  exists_one: { runtime: "existsOne", toType: () => bool },
  filter: { method: "filter", toType: (item) => ({ kind: "list", item }) },
};
