/** The committed validators: they are what the committed schemas say, and no text makes one of their patterns slow. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { processorTime } from "@sallyport/testkit/processor-time";
import type { Schema } from "./schema.ts";
import { emitValidator, toLinearPattern } from "./validators.ts";

const generated = join(import.meta.dirname, "../../controller/src/kube/generated");
const stems = readdirSync(join(generated, "schemas")).map((file) => file.replace(".json", ""));

function readSchema(stem: string): Schema {
  return JSON.parse(readFileSync(join(generated, "schemas", `${stem}.json`), "utf8")) as Schema;
}

for (const stem of stems) {
  test(`the validator of ${stem} is the one its schema compiles to`, () => {
    const { $defs: definitions = {}, ...root } = readSchema(stem);
    const { code } = emitValidator({ root, definitions });
    assert.equal(readFileSync(join(generated, "validators", `${stem}.js`), "utf8"), code);
  });
}

interface CompiledPattern {
  readonly source: string;
  readonly flags: string;
  readonly longest: number;
}

/** Every pattern of the committed validators, with the length of text it is tried on. */
function findPatterns(): CompiledPattern[] {
  const found = new Map<string, CompiledPattern>();
  for (const stem of stems) {
    const code = readFileSync(join(generated, "validators", `${stem}.js`), "utf8");
    for (const [call, source, flags = "", longest] of code.matchAll(/\(("(?:[^"\\]|\\.)*"), "(ui?)", (\d+)\)/g))
      found.set(call, { source: JSON.parse(source ?? '""') as string, flags, longest: Number(longest) });
  }
  return [...found.values()];
}

const patterns = findPatterns();

const hostileParts = [
  "a",
  "A",
  "-",
  ".",
  "a-",
  "a.",
  "a.a-",
  "0",
  "1h",
  "!",
  "a b",
  " ",
  "/",
  "a/",
  "*.",
  ":",
  "%2f",
  ",",
  "_",
];

test("there are patterns to try", () => {
  assert.ok(patterns.length > 20, `only ${patterns.length}`);
});

for (const { source, flags, longest } of patterns) {
  test(`no text of ${longest} characters keeps ${source.slice(0, 60)} busy`, () => {
    const expression = new RegExp(source, flags);
    const took = processorTime(() => {
      for (const part of hostileParts)
        for (const prefix of ["", "a", "*.", "https://"])
          for (const end of ["", "\n", "\u0000"])
            expression.test((prefix + part.repeat(longest)).slice(0, longest - 1) + end);
    });
    assert.ok(took < 2000, `${took} ms`);
  });
}

test("replaced patterns accept the same texts", () => {
  const published = "^[!-~]+([\\t ]?[!-~]+)*$";
  const before = new RegExp(published, "u");
  const after = new RegExp(toLinearPattern(published), "u");
  assert.notEqual(toLinearPattern(published), published);
  for (const text of ["", "a", "a b", "a  b", " a", "a ", "a\tb", "a\t b", "ab cd ef", "é", "a\n", "~!"])
    assert.equal(after.test(text), before.test(text), JSON.stringify(text));
});
