/** Compares every compiled rule with an independent CEL interpreter, on values made from the schema it is about. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import vm from "node:vm";
import { Environment } from "@marcbachmann/cel-js";
import fc from "fast-check";
import * as ruleFunctions from "../../controller/src/kube/rule-functions.ts";
import { compileRule } from "./cel.ts";
import type { Program } from "./cel-scope.ts";
import { ruleExceptions } from "./rules.ts";
import { isAlwaysPresent, resolveRef } from "./schema.ts";
import type { Schema } from "./schema.ts";

const schemaDirectory = join(import.meta.dirname, "../../controller/src/kube/generated/schemas");

interface FoundRule {
  readonly where: string;
  readonly rule: string;
  readonly schema: Schema;
  readonly definitions: Readonly<Record<string, Schema>>;
}

function findRules(): FoundRule[] {
  const found = new Map<string, FoundRule>();
  for (const file of readdirSync(schemaDirectory)) {
    const root = JSON.parse(readFileSync(join(schemaDirectory, file), "utf8")) as Schema;
    const definitions = root.$defs ?? {};
    const visit = (schema: Schema, where: string): void => {
      for (const { rule } of schema["x-kubernetes-validations"] ?? [])
        if (!ruleExceptions.some((exception) => exception.rule === rule))
          found.set(`${where} ${rule}`, { where, rule, schema, definitions });
      for (const [name, property] of Object.entries(schema.properties ?? {})) visit(property, `${where}.${name}`);
      if (schema.items !== undefined) visit(schema.items, `${where}[]`);
      if (typeof schema.additionalProperties === "object") visit(schema.additionalProperties, `${where}{}`);
    };
    visit(root, file.replace(".json", ""));
    for (const [name, definition] of Object.entries(definitions)) visit(definition, name);
  }
  return [...found.values()];
}

const texts = [
  ...["", "/", "/a", "//", "/a/./b", "/a/../b", "/..", "/.", "a%2fb", "a%2Fb", "/a#b", "é", "*", "*.example.com"],
  ...[
    "a.example.com",
    "*.a.*",
    "A.example",
    "10.0.0.1",
    "fe80::1",
    "::ffff:10.0.0.1",
    "fe80::1%eth0",
    "10s",
    "1m",
    "500ms",
    "0s",
    "soon",
  ],
  ...["Service", "Hostname", "URI", "None", "kubernetes.io/tls", "example.com/name", "System", "x".repeat(254)],
  ...["10.0.0.0/8", "10.0.0.0/33", "fe80::/10", "X-User", "Ingress", "gateway.networking.k8s.io", "500-599", "599-500"],
];

/** Values of a schema: shape and enumerations right, everything a pattern would refuse left in. */
function arbitraryOf(node: Schema, definitions: Readonly<Record<string, Schema>>): fc.Arbitrary<unknown> {
  const schema = resolveRef(node, definitions);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.properties !== undefined) {
    const shape = Object.entries(schema.properties).map(([name, property]) => [
      name,
      arbitraryOf(property, definitions),
    ]);
    const requiredKeys = Object.keys(schema.properties).filter((name) => isAlwaysPresent(schema, name));
    return fc.record(Object.fromEntries(shape) as Record<string, fc.Arbitrary<unknown>>, { requiredKeys });
  }
  if (schema.items !== undefined) return fc.array(arbitraryOf(schema.items, definitions), { maxLength: 4 });
  if (typeof schema.additionalProperties === "object")
    return fc.dictionary(fc.constantFrom("tls.crt", "tls.key", "a", "a b", "x.example/a"), fc.constant("v"));
  if (schema["x-kubernetes-int-or-string"] === true)
    return fc.oneof(fc.constantFrom(100, 404), fc.constantFrom(...texts, "404"));
  if (schema.type === "string") return fc.constantFrom(...texts);
  if (schema.type === "integer") return fc.constantFrom(0, 1, 2, 80, 443);
  if (schema.type === "number") return fc.constantFrom(0.05, 0.1, 0.5, 10.5);
  if (schema.type === "boolean") return fc.boolean();
  return fc.constant("unused");
}

function compile(rule: FoundRule): (self: unknown) => boolean {
  const program: Program = { definitions: rule.definitions, functions: new Set(), patterns: new Map() };
  const js = compileRule(rule.rule, rule.schema, program);
  const patterns = [...program.patterns].map(([source, name]) => `const ${name} = ${source};`);
  const names = Object.keys(ruleFunctions);
  const build = vm.compileFunction(`${patterns.join("")} return (self) => ${js};`, names);
  return Reflect.apply(build, undefined, Object.values(ruleFunctions)) as (self: unknown) => boolean;
}

const environment = new Environment({ unlistedVariablesAreDyn: true, limits: { maxDepth: 1000 } })
  .registerVariable("self", "dyn")
  .registerFunction("isIP(string): bool", ruleFunctions.isIpAddress)
  .registerFunction("isIPv4(string): bool", ruleFunctions.isIpv4Address)
  .registerFunction("isIPv6(string): bool", ruleFunctions.isIpv6Address)
  .registerFunction("isCIDR(string): bool", ruleFunctions.isAddressBlock);

function interpret(rule: string): (self: unknown) => unknown {
  const text = rule
    .replaceAll("__namespace__", "namespace")
    // The interpreter knows neither RE2's flags nor has() of a list entry's field.
    .replace(/\(\?i\)(.*?)"""/, (_, pattern: string) => `${pattern.replaceAll("a-z", "a-zA-Z")}"""`)
    .replaceAll(/has\((self[.\w]*\[\d+\])\.(\w+)\)/g, "('$2' in $1)");
  const parsed = environment.parse(text);
  return (self) => parsed({ self: toCel(self) }) as unknown;
}

/** CEL integers are big integers. */
function toCel(value: unknown): unknown {
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toCel(inner)]));
}

function outcomeOf(evaluate: () => unknown): unknown {
  try {
    return evaluate();
  } catch {
    return "error";
  }
}

const rules = findRules();

test("there are rules to compare", () => {
  assert.ok(rules.length > 140, `only ${rules.length}`);
});

const sawBoth = new Set<FoundRule>();

for (const rule of rules) {
  test(`${rule.where}: ${rule.rule.slice(0, 70)} means the same compiled and interpreted`, () => {
    const compiled = compile(rule);
    const interpreted = interpret(rule.rule);
    const outcomes = new Set<unknown>();
    const property = fc.property(arbitraryOf(rule.schema, rule.definitions), (self) => {
      const outcome = outcomeOf(() => compiled(self));
      outcomes.add(outcome);
      assert.deepEqual(
        outcome,
        outcomeOf(() => interpreted(self)),
        JSON.stringify(self),
      );
    });
    fc.assert(property, { numRuns: 200, seed: 7 });
    if (outcomes.size > 1) sawBoth.add(rule);
  });
}

test("the values made are ones that rules tell apart", () => {
  assert.ok(sawBoth.size > 100, `only ${sawBoth.size} of ${rules.length} rules were seen to differ`);
});

test("a construct that is not understood stops the compiler", () => {
  const program: Program = { definitions: {}, functions: new Set(), patterns: new Map() };
  const schema: Schema = { type: "object", properties: { a: { type: "string" } } };
  for (const rule of [
    "self.b == ''",
    "self.a.upper() == 'A'",
    "self.a.matches(self.a)",
    "self",
    "oldSelf.a == ''",
    "1 - 1 == 0",
  ])
    assert.throws(() => compileRule(rule, schema, program), rule);
});
