/**
 * Regenerates the CustomResourceDefinitions of our own kinds in the chart from their TypeBox schemas. Afterwards
 * scripts/generate-kube-schemas.ts makes types and validators of them, as of everybody else's.
 *   node scripts/generate-crds.ts            writes the files
 *   node scripts/generate-crds.ts --check    exits with 1 if a committed file is not what would be written
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { emitDefinition, toFileName } from "./crds/definition.ts";
import { ownKinds } from "./crds/own-kinds.ts";

const target = join(import.meta.dirname, "../charts/sallyport/crds");

for (const own of ownKinds) {
  const file = join(target, toFileName(own));
  const text = emitDefinition(own);
  if (!process.argv.includes("--check")) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
    console.error(`charts/sallyport/crds/${toFileName(own)} is stale: run node scripts/generate-crds.ts`);
    process.exitCode = 1;
  }
}
