/** Import cycles between folders, type imports included: lint sees only those that are left when types are stripped. */
import { resolveImport } from "./import-rules.ts";
import { scanImports } from "./import-scan.ts";
import type { SourceFile } from "./source-files.ts";

/**
 * Every cycle that a depth-first walk meets, as `a.ts -> b.ts -> a.ts`. Workspace imports (`@sallyport/...`) cannot
 * cycle. Two kinds of type imports do not count: of a contract, whose types are named from both sides of the seam; and within
 * a folder, where a class and the functions that work on it know each other.
 */
export function importCycles(files: readonly SourceFile[]): string[] {
  const edges = new Map(
    files.map(({ path, text }) => [
      path,
      scanImports(text)
        .filter(({ specifier, kind }) => specifier.startsWith(".") && kind !== "entry")
        .filter(({ specifier, kind }) => kind === "value" || !isFreeForTypes(specifier))
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

function isFreeForTypes(specifier: string): boolean {
  return specifier.endsWith("/contract.ts") || /^\.\/[^/]+$/.test(specifier);
}
