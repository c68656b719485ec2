/**
 * Regenerates controller/src/kube/generated from the published schemas of the kinds in kube-schemas/kinds.ts. Needs Go,
 * whose module proxy carries the schemas.
 *   node scripts/generate-kube-schemas.ts            writes the files
 *   node scripts/generate-kube-schemas.ts --check    exits with 1 if a committed file is not what would be written
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { generateFiles } from "./kube-schemas/generate.ts";

const target = join(import.meta.dirname, "../controller/src/kube/generated");

function readCommitted(): ReadonlyMap<string, string> {
  const entries = readdirSync(target, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [relative(target, path), readFileSync(path, "utf8")]));
}

function check(files: ReadonlyMap<string, string>): void {
  const committed = readCommitted();
  const names = [...new Set([...files.keys(), ...committed.keys()])];
  const different = names.filter((name) => files.get(name) !== committed.get(name)).toSorted();
  for (const name of different) console.error(`differs: ${relative(process.cwd(), join(target, name))}`);
  console.log(`${files.size} generated files, ${different.length} differ from the committed ones`);
  if (different.length > 0) process.exitCode = 1;
}

function write(files: ReadonlyMap<string, string>): void {
  rmSync(target, { recursive: true, force: true });
  for (const [name, content] of files) {
    mkdirSync(dirname(join(target, name)), { recursive: true });
    writeFileSync(join(target, name), content);
  }
  console.log(`${files.size} files written to ${relative(process.cwd(), target)}`);
}

const files = generateFiles();
if (process.argv.includes("--check")) check(files);
else write(files);
