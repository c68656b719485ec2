/**
 * Writes, for one kind, the walk that finds every value some rule is about and checks it: one function per definition,
 * which enters only fields that lead to a rule.
 */
import { compileRule } from "./cel.ts";
import type { Program } from "./cel-scope.ts";
import type { NamedSchema } from "./definitions.ts";
import { toDefinitionName } from "./schema.ts";
import type { CelRule, Schema } from "./schema.ts";

/** A rule that is not compiled, and why that loses nothing. */
export interface RuleException {
  readonly rule: string;
  readonly reason: string;
}

/** Every rule that is left out. A rule that neither compiles nor stands here stops the generator. */
export const ruleExceptions: readonly RuleException[] = [
  {
    rule: "self == oldSelf",
    reason: "a transition rule compares with the stored object; files have none, and the API server enforces it itself",
  },
];

/** Source text of the rules of one kind. */
export interface EmittedRules {
  /** Runtime functions the text calls, by name. */
  readonly functions: readonly string[];
  readonly lines: readonly string[];
}

/** Writes `export function checkRules(value, walk)` and what it needs. */
export function emitRules(schema: NamedSchema): EmittedRules {
  const writer = new RuleWriter(schema);
  const walks = writer.emitWalks();
  const program = writer.program;
  const patterns = [...program.patterns].map(([source, name]) => `const ${name} = ${source};`);
  if (patterns.length > 0) program.functions.add("boundedPattern");
  return { functions: [...program.functions].toSorted(), lines: [...patterns, ...writer.rules, ...walks] };
}

class RuleWriter {
  readonly program: Program;
  readonly rules: string[] = [];
  readonly #schema: NamedSchema;
  readonly #relevant = new Map<string, boolean>();

  constructor(schema: NamedSchema) {
    this.#schema = schema;
    this.program = { definitions: schema.definitions, functions: new Set(), patterns: new Map() };
  }

  emitWalks(): string[] {
    const walks = Object.entries(this.#schema.definitions)
      .filter(([name]) => this.#isRelevantDefinition(name))
      .flatMap(([name, definition]) => this.#emitWalk(`function walk${name}`, definition));
    return [...walks, ...this.#emitWalk("export function checkRules", this.#schema.root)];
  }

  #emitWalk(head: string, schema: Schema): string[] {
    const checks = this.#emitChecks(schema, "value");
    const fields = Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
      this.#isRelevant(property) && !this.#isStatus(schema, name) ? this.#emitField(name, property) : [],
    );
    const guard = '  if (typeof value !== "object" || value === null || Array.isArray(value)) return;';
    return [`${head}(value, walk) {`, guard, ...indent([...checks, ...fields]), "}"];
  }

  #emitField(name: string, property: Schema): string[] {
    const value = `value[${JSON.stringify(name)}]`;
    return [
      `if (${value} !== undefined) {`,
      `  walk.enter(${JSON.stringify(name)});`,
      ...indent(this.#emitNode(property, value)),
      "  walk.leave();",
      "}",
    ];
  }

  /** Code that walks the value of expression `value`. */
  #emitNode(schema: Schema, value: string): string[] {
    if (schema.$ref !== undefined) return [`walk${toDefinitionName(schema.$ref)}(${value}, walk);`];
    if (typeof schema.additionalProperties === "object" && this.#isRelevant(schema.additionalProperties))
      throw new Error("rules below a map are not understood");
    if (schema.items === undefined) return this.#emitChecks(schema, value);
    const lines = [...this.#emitChecks(schema, value), ...this.#emitUnique(schema, value)];
    if (this.#isRelevant(schema.items)) lines.push(...this.#emitItems(schema.items, value));
    return [`if (Array.isArray(${value})) {`, ...indent(lines), "}"];
  }

  #emitItems(items: Schema, value: string): string[] {
    return [
      `for (const [index, item] of ${value}.entries()) {`,
      "  walk.enter(index);",
      ...indent(this.#emitNode(items, "item")),
      "  walk.leave();",
      "}",
    ];
  }

  #emitChecks(schema: Schema, value: string): string[] {
    return (schema["x-kubernetes-validations"] ?? []).flatMap((rule) => {
      if (ruleExceptions.some((exception) => exception.rule === rule.rule)) return [];
      return [`walk.check(${this.#addRule(rule, schema)}, ${value});`];
    });
  }

  #addRule(rule: CelRule, schema: Schema): string {
    const name = `rule${this.rules.length}`;
    const holds = compileRule(rule.rule, schema, this.program);
    this.rules.push(`const ${name} = { message: ${JSON.stringify(rule.message)}, holds: (self) => ${holds} };`);
    return name;
  }

  #emitUnique(schema: Schema, value: string): string[] {
    const type = schema["x-kubernetes-list-type"];
    if (type === "map")
      return [`walk.unique(${value}, ${JSON.stringify(schema["x-kubernetes-list-map-keys"] ?? [])});`];
    return type === "set" ? [`walk.unique(${value}, []);`] : [];
  }

  /** Status is not checked: see `emitValidator`. */
  #isStatus(schema: Schema, property: string): boolean {
    return schema === this.#schema.root && property === "status";
  }

  #isRelevant(schema: Schema): boolean {
    if (schema.$ref !== undefined) return this.#isRelevantDefinition(toDefinitionName(schema.$ref));
    if ((schema["x-kubernetes-validations"] ?? []).length > 0) return true;
    const type = schema["x-kubernetes-list-type"];
    if (type === "map" || type === "set") return true;
    const { additionalProperties, items, properties } = schema;
    if (items !== undefined && this.#isRelevant(items)) return true;
    if (typeof additionalProperties === "object" && this.#isRelevant(additionalProperties)) return true;
    return Object.values(properties ?? {}).some((property) => this.#isRelevant(property));
  }

  #isRelevantDefinition(name: string): boolean {
    const known = this.#relevant.get(name);
    if (known !== undefined) return known;
    const relevant = this.#isRelevant(this.#schema.definitions[name] ?? {});
    this.#relevant.set(name, relevant);
    return relevant;
  }
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
