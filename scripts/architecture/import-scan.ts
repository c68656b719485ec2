/** Finds what a TypeScript file imports, by pattern: enough for our own house style, and it cannot be misled by a parser. */

/** One import. */
export interface Import {
  readonly specifier: string;
  /** `type` imports vanish when types are stripped; an `entry` is started as a worker or process, not loaded. */
  readonly kind: "type" | "value" | "entry";
}

const COMMENT = /\/\*[\s\S]*?\*\/|(^|[\s;{}(,])\/\/.*$/gm;
const STATEMENT = /^\s*(import|export)\s+(type\s+)?(?:[\w*{][^;"'`]*?\sfrom\s+)?["']([^"']+)["']/gm;
const DYNAMIC = /\bimport\(\s*["'`]([^"'`]+)["'`]/g;
const ENTRY = /\bnew URL\(\s*["'](\.[^"']+\.ts)["'],\s*import\.meta\.url/g;

/** All imports of a file: static, re-exports, dynamic ones with a literal, and entries of workers and processes (`new URL(..., import.meta.url)`). */
export function scanImports(text: string): Import[] {
  const code = text.replace(COMMENT, "$1");
  const found: Import[] = [];
  for (const [, , type, specifier = ""] of code.matchAll(STATEMENT)) {
    found.push({ specifier, kind: type === undefined ? "value" : "type" });
  }
  for (const [, specifier = ""] of code.matchAll(DYNAMIC)) found.push({ specifier, kind: "value" });
  for (const [, specifier = ""] of code.matchAll(ENTRY)) found.push({ specifier, kind: "entry" });
  return found;
}
