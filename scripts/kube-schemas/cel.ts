/**
 * Compiles one CEL rule to a JavaScript expression, directed by the schema of what it is about. A construct it does not
 * know stops the generator: no rule is ever left out silently. Known limits are by choice: only what the rules use.
 *
 * CEL says that reading an absent field is an error, and that an error on one side of `&&` or `||` does not matter if the
 * other side decides. Fields are therefore known to be present (required, defaulted, or asked for with `has` before) or
 * read through a function that throws; and `&&`/`||` become the plain operators unless their left side can throw.
 */
import { parse } from "@marcbachmann/cel-js";
import type { ASTNode } from "@marcbachmann/cel-js";
import { compileCall, compileMethod } from "./cel-functions.ts";
import { assumeOutcome, toPathText, unescapeField } from "./cel-scope.ts";
import type { CelType, Code, Program, Scope } from "./cel-scope.ts";
import { isAlwaysPresent, resolveRef } from "./schema.ts";
import type { Schema } from "./schema.ts";

/** The body of `(self) => body` for a rule on a value of the given schema. */
export function compileRule(rule: string, schema: Schema, program: Program): string {
  const variables = new Map([["self", toCelType(schema, program.definitions)]]);
  const code = compileNode(parse(rule).ast, { variables, present: new Set(), program, compile: compileNode });
  if (code.type.kind !== "bool") throw new Error(`rule is not boolean: ${rule}`);
  return code.js;
}

function compileNode(node: ASTNode, scope: Scope): Code {
  switch (node.op) {
    case "value":
      return compileLiteral(node.args);
    case "id":
      return compileVariable(node.args, scope);
    case ".":
      return compileField(node, scope);
    case "[]":
      return compileIndex(node.args, scope);
    case "?:":
      return compileConditional(node.args, scope);
    case "list":
      return compileList(node.args, scope);
    case "call":
      return compileCall(node.args[0], node.args[1], scope);
    case "rcall":
      return compileMethod(node.args, scope);
    default:
      return compileOperation(node, scope);
  }
}

function compileOperation(node: ASTNode, scope: Scope): Code {
  switch (node.op) {
    case "&&":
    case "||":
      return compileLogical(node, scope);
    case "!_":
      return negate(compileNode(node.args, scope));
    case "in":
      return compileIn(node.args, scope);
    case "==":
    case "!=":
      return compileEquality(node.op, node.args, scope);
    case "+":
    case "<":
    case "<=":
    case ">":
    case ">=":
      return compileNumeric(node.op, node.args, scope);
    default:
      throw new Error(`operator ${node.op} is not understood`);
  }
}

function toCelType(node: Schema, definitions: Readonly<Record<string, Schema>>): CelType {
  const schema = resolveRef(node, definitions);
  if (schema.properties !== undefined) return { kind: "object", schema };
  if (typeof schema.additionalProperties === "object")
    return { kind: "map", value: toCelType(schema.additionalProperties, definitions) };
  if (schema.items !== undefined) return { kind: "list", item: toCelType(schema.items, definitions) };
  if (schema["x-kubernetes-int-or-string"] === true) return { kind: "int-or-string" };
  // What these are can be asked with has() only.
  if (schema.type === "object") return { kind: "opaque" };
  if (schema.type === "string") return { kind: "string" };
  if (schema.type === "integer") return { kind: "int" };
  if (schema.type === "number") return { kind: "double" };
  if (schema.type === "boolean") return { kind: "bool" };
  throw new Error(`no CEL type for ${JSON.stringify(schema)}`);
}

function compileLiteral(value: unknown): Code {
  if (typeof value === "string") return { js: JSON.stringify(value), type: { kind: "string" }, canThrow: false };
  if (typeof value === "number") return { js: String(value), type: { kind: "double" }, canThrow: false };
  if (typeof value === "bigint") return { js: String(value), type: { kind: "int" }, canThrow: false };
  if (typeof value === "boolean") return { js: String(value), type: { kind: "bool" }, canThrow: false };
  throw new Error(`literal ${String(value)} is not understood`);
}

function compileVariable(name: string, scope: Scope): Code {
  const type = scope.variables.get(name);
  if (type === undefined) throw new Error(`unknown variable ${name}`);
  return { js: name, type, canThrow: false };
}

function compileField(node: ASTNode & { readonly op: "." }, scope: Scope): Code {
  const [base, escaped] = node.args;
  const object = compileNode(base, scope);
  const name = unescapeField(escaped);
  if (object.type.kind !== "object") throw new Error(`${escaped} is read from a ${object.type.kind}`);
  const property = object.type.schema.properties?.[name];
  if (property === undefined) throw new Error(`field ${name} does not exist`);
  const type = toCelType(property, scope.program.definitions);
  const isPresent = isAlwaysPresent(object.type.schema, name) || scope.present.has(toPathText(node) ?? "");
  if (isPresent) return { js: `${object.js}.${name}`, type, canThrow: object.canThrow };
  scope.program.functions.add("field");
  return { js: `field(${object.js}, ${JSON.stringify(name)})`, type, canThrow: true };
}

function compileIndex([base, index]: readonly [ASTNode, ASTNode], scope: Scope): Code {
  const list = compileNode(base, scope);
  const position = compileNode(index, scope);
  if (list.type.kind !== "list" || position.type.kind !== "int") throw new Error("only lists are indexed");
  scope.program.functions.add("element");
  return { js: `element(${list.js}, ${position.js})`, type: list.type.item, canThrow: true };
}

function compileConditional([test, yes, no]: readonly [ASTNode, ASTNode, ASTNode], scope: Scope): Code {
  const condition = compileNode(test, scope);
  const consequent = compileNode(yes, assumeOutcome(scope, test, true));
  const alternate = compileNode(no, assumeOutcome(scope, test, false));
  if (consequent.type.kind !== alternate.type.kind) throw new Error("branches differ in type");
  const canThrow = condition.canThrow || consequent.canThrow || alternate.canThrow;
  return { js: `(${condition.js} ? ${consequent.js} : ${alternate.js})`, type: consequent.type, canThrow };
}

function compileLogical(node: ASTNode & { readonly op: "&&" | "||" }, scope: Scope): Code {
  const [first, second] = node.args;
  const left = compileNode(first, scope);
  const right = compileNode(second, assumeOutcome(scope, first, node.op === "&&"));
  const type: CelType = { kind: "bool" };
  if (!left.canThrow) return { js: `(${left.js} ${node.op} ${right.js})`, type, canThrow: right.canThrow };
  const helper = node.op === "&&" ? "both" : "either";
  scope.program.functions.add(helper);
  const careful = compileNode(second, scope);
  return { js: `${helper}(() => ${left.js}, () => ${careful.js})`, type, canThrow: true };
}

function negate(code: Code): Code {
  if (code.type.kind !== "bool") throw new Error("only booleans are negated");
  return { ...code, js: `!${code.js}` };
}

function compileIn([item, collection]: readonly [ASTNode, ASTNode], scope: Scope): Code {
  const left = compileNode(item, scope);
  const right = compileNode(collection, scope);
  const canThrow = left.canThrow || right.canThrow;
  const type: CelType = { kind: "bool" };
  if (right.type.kind === "list") return { js: `${right.js}.includes(${left.js})`, type, canThrow };
  if (right.type.kind === "map") return { js: `Object.hasOwn(${right.js}, ${left.js})`, type, canThrow };
  throw new Error(`in is not understood on a ${right.type.kind}`);
}

function compileList(items: readonly ASTNode[], scope: Scope): Code {
  const codes = items.map((item) => compileNode(item, scope));
  const item = codes[0]?.type;
  if (item === undefined || codes.some((code) => code.type.kind !== item.kind))
    throw new Error("list is not understood");
  const canThrow = codes.some((code) => code.canThrow);
  return { js: `[${codes.map((code) => code.js).join(", ")}]`, type: { kind: "list", item }, canThrow };
}

const scalarKinds = new Set(["bool", "int", "double", "string", "duration"]);
const numericKinds = new Set(["int", "double", "duration"]);

function compileEquality(operator: "==" | "!=", sides: readonly [ASTNode, ASTNode], scope: Scope): Code {
  if (sides[0].op === "call" && sides[0].args[0] === "type") return compileTypeTest(operator, sides, scope);
  const [left, right] = compileSides(sides, scope);
  if (!scalarKinds.has(left.type.kind)) throw new Error(`${operator} on a ${left.type.kind} is not understood`);
  const canThrow = left.canThrow || right.canThrow;
  return { js: `(${left.js} ${operator}= ${right.js})`, type: { kind: "bool" }, canThrow };
}

/** What `typeof` says of the types that a value of either may have. */
const eitherTypes: Readonly<Record<string, string>> = { int: "number", string: "string" };

/** `type(value) == int` and `type(value) == string`, of what may be either. */
function compileTypeTest(operator: "==" | "!=", [test, type]: readonly [ASTNode, ASTNode], scope: Scope): Code {
  const [argument, ...others] = test.op === "call" ? test.args[1] : [];
  const name = type.op === "id" ? eitherTypes[type.args] : undefined;
  if (argument === undefined || others.length > 0 || name === undefined) throw new Error("type() is not understood");
  const value = compileNode(argument, scope);
  if (value.type.kind !== "int-or-string") throw new Error(`type() of a ${value.type.kind} is known already`);
  return { js: `(typeof ${value.js} ${operator}= "${name}")`, type: { kind: "bool" }, canThrow: value.canThrow };
}

function compileNumeric(operator: string, sides: readonly [ASTNode, ASTNode], scope: Scope): Code {
  const [left, right] = compileSides(sides, scope);
  if (left.type.kind === "string" && operator !== "+") return compileTextOrder(operator, left, right, scope);
  if (!numericKinds.has(left.type.kind)) throw new Error(`${operator} on a ${left.type.kind} is not understood`);
  const type: CelType = operator === "+" ? left.type : { kind: "bool" };
  return { js: `(${left.js} ${operator} ${right.js})`, type, canThrow: left.canThrow || right.canThrow };
}

/** Texts are ordered by code points; JavaScript's own order is that of UTF-16 units. */
function compileTextOrder(operator: string, left: Code, right: Code, scope: Scope): Code {
  scope.program.functions.add("compareTexts");
  const js = `(compareTexts(${left.js}, ${right.js}) ${operator} 0)`;
  return { js, type: { kind: "bool" }, canThrow: left.canThrow || right.canThrow };
}

function compileSides([first, second]: readonly [ASTNode, ASTNode], scope: Scope): readonly [Code, Code] {
  const left = compileNode(first, scope);
  const right = compileNode(second, scope);
  if (left.type.kind !== right.type.kind) throw new Error(`operands differ: ${left.type.kind}, ${right.type.kind}`);
  return [left, right];
}
