/** Import cycles between files, type imports included: lint sees only those that are left when types are stripped. */
import { resolveImport } from "./import-rules.ts";
import { scanImports, type Import } from "./import-scan.ts";
import type { SourceFile } from "./source-files.ts";

/**
 * Every cycle that a depth-first walk meets, as `a.ts -> b.ts -> a.ts`. Workspace imports (`@sallyport/...`) cannot
 * cycle. A contract's types may be named from both sides of the seam.
 */
export function importCycles(files: readonly SourceFile[]): string[] {
  const edges = new Map(
    files.map(({ path, text }) => [
      path,
      scanImports(text)
        .filter(({ specifier, kind }) => specifier.startsWith(".") && kind !== "entry" && !isSeam(specifier, kind))
        .map(({ specifier }) => resolveImport(path, specifier)),
    ]),
  );
  const cycles: string[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push([...trail.slice(start), path].join(" -> "));
    if (start >= 0 || done.has(path)) return;
    trail.push(path);
    for (const next of edges.get(path) ?? []) visit(next);
    trail.pop();
    done.add(path);
  };
  for (const path of edges.keys()) visit(path);
  return cycles;
}

function isSeam(specifier: string, kind: Import["kind"]): boolean {
  return kind === "type" && specifier.endsWith("/contract.ts");
}
