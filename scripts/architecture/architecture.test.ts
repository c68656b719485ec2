import assert from "node:assert/strict";
import { test } from "node:test";
import { commentProblems, foreignProblems, lengthProblems } from "./file-rules.ts";
import { importCycles } from "./import-cycles.ts";
import { importProblems } from "./import-rules.ts";
import { scanImports } from "./import-scan.ts";
import { isCode, isGenerated, listFiles } from "./source-files.ts";

/** Far below what there is: a scan that sees less is broken, and a broken scan finds nothing wrong. */
const FEWEST_FILES = 100;

const files = listFiles();
const typescript = files.filter(({ path }) => path.endsWith(".ts") && isCode(path));

function none(problems: readonly string[]): void {
  assert.equal(problems.length, 0, `\n${problems.join("\n")}`);
}

test("the scan sees the project", () => {
  assert.ok(typescript.length > FEWEST_FILES, `only ${typescript.length} TypeScript files`);
  const imports = typescript.flatMap(({ text }) => scanImports(text));
  assert.ok(imports.length > FEWEST_FILES * 2, `only ${imports.length} imports`);
  assert.ok(imports.some(({ specifier }) => specifier.startsWith("@sallyport/")));
});

test("every import is one that the table allows", () => {
  none(typescript.flatMap(importProblems));
});

test("no folders import each other in a circle, not even for types", () => {
  none(importCycles(typescript));
});

test("no file is too long to be read in one go", () => {
  none(files.flatMap(lengthProblems));
});

test("every file says what it is for and every export has a doc comment", () => {
  none(typescript.flatMap(commentProblems));
});

test("no file names a machine's paths or a package registry", () => {
  none(files.filter(({ path }) => !isGenerated(path)).flatMap(foreignProblems));
});

const PLANTED: readonly (readonly [path: string, text: string])[] = [
  ["model/src/x.ts", 'import { readFileSync } from "node:fs";'],
  ["model/src/x.ts", 'import type { Filter } from "@sallyport/policies/filter";'],
  ["policies/src/x.ts", 'import { connect } from "node:net";'],
  ["policies/src/x.ts", 'export { a } from "@sallyport/gateway/engine";'],
  ["policies/src/x.ts", 'import {\n  a,\n  type b,\n} from "@sallyport/testkit/certs";'],
  ["gateway/src/exchange/x.ts", 'import http from "node:http";'],
  ["gateway/src/exchange/x.ts", 'const x = await import("@sallyport/controller/world/load");'],
  ["gateway/src/router/x.ts", 'import { connect } from "node:net";'],
  ["gateway/src/router/x.ts", 'import { x } from "../exchange/x.ts";'],
  ["gateway/src/time/x.ts", 'import type { x } from "../compile/x.ts";'],
  ["gateway/src/x.ts", 'import { world } from "../../controller/src/world/world.ts";'],
  ["controller/src/world/x.ts", 'import "@sallyport/policies/cors";'],
  ["controller/src/translate/x.ts", 'import { createHash } from "node:crypto";'],
  ["controller/src/translate/x.ts", 'import { decode } from "../kube/decode.ts";'],
  ["controller/src/translate/ingress/x.ts", 'import { x } from "../gateway-api/x.ts";'],
  ["controller/src/translate/traffic/x.ts", 'import { x } from "../gateway-api/x.ts";'],
  ["cli/src/x.ts", 'import { eventually } from "@sallyport/testkit/eventually";'],
  ["loadtest/x.ts", 'import { run } from "@sallyport/gateway/engine";'],
  ["helpers/x.ts", 'import { run } from "node:fs";'],
];

for (const [path, text] of PLANTED) {
  test(`a planted violation is caught: ${path}: ${text.replaceAll(/\s+/g, " ")}`, () => {
    assert.notEqual(importProblems({ path, text }).length, 0);
  });
}

test("imports that the table allows are not complained of", () => {
  none(importProblems({ path: "gateway/src/exchange/x.ts", text: 'import { x } from "../router/x.ts";' }));
  none(importProblems({ path: "gateway/src/x.test.ts", text: 'import { x } from "@sallyport/testkit/certs";' }));
  none(importProblems({ path: "gateway/src/admin/x.ts", text: 'import { createServer } from "node:http";' }));
  none(importProblems({ path: "model/src/x.ts", text: '// import "node:fs"\n/* import "node:fs" */\nexport {};' }));
});

test("a planted cycle, a long file, a missing comment and a foreign path are caught", () => {
  const a = { path: "gateway/src/a/a.ts", text: 'import type { b } from "../b/b.ts";' };
  const b = { path: "gateway/src/b/b.ts", text: 'import { a } from "../a/a.ts";' };
  assert.deepEqual(importCycles([a, b]), ["gateway/src/a/a.ts -> gateway/src/b/b.ts -> gateway/src/a/a.ts"]);
  const within = { path: "gateway/src/a/b.ts", text: 'import { a } from "./a.ts";' };
  assert.equal(importCycles([{ ...a, text: 'import { b } from "./b.ts";' }, within]).length, 1);
  assert.equal(importCycles([{ ...a, text: 'import type { b } from "./b.ts";' }, within]).length, 0);
  assert.equal(lengthProblems({ path: "model/src/a.ts", text: "x\n".repeat(301) }).length, 1);
  assert.equal(lengthProblems({ path: "model/src/a.ts", text: "x\n".repeat(300) }).length, 0);
  assert.equal(commentProblems({ path: "model/src/a.ts", text: "// For a.\n\nexport const a = 1;\n" }).length, 1);
  assert.equal(
    commentProblems({ path: "model/src/a.ts", text: "// For a.\n\n/* no */\nexport const a = 1;\n" }).length,
    1,
  );
  assert.equal(commentProblems({ path: "model/src/a.ts", text: "/** A. */\nexport const a = 1;\n" }).length, 0);
  assert.equal(commentProblems({ path: "model/src/a.ts", text: "export {};\n" }).length, 1);
  for (const text of [
    ["/wo", "rk/main"],
    ["../sha", "red/x"],
    ["registry.npm", "js.org"],
  ]) {
    assert.equal(foreignProblems({ path: "docs/a.md", text: `see ${text.join("")}` }).length, 1, text.join(""));
  }
});
