/** Writes the table of all generated kinds: their types, versions and how to load what checks them. */
import { generatedNotice } from "./types.ts";

/** What the table says of one kind. */
export interface TableKind {
  readonly kind: string;
  /** File name without extension. */
  readonly stem: string;
  readonly group: string;
  readonly versions: readonly string[];
  readonly plural: string;
  readonly namespaced: boolean;
}

/** The source of `generated/kinds.ts`. */
export function emitTable(kinds: readonly TableKind[]): string {
  return [
    generatedNotice,
    ...kinds.map(({ kind, stem }) => `import type { ${kind} } from "./types/${stem}.ts";`),
    'import type { GeneratedKind } from "../generated-kind.ts";',
    "",
    "/** The type of every generated kind. */",
    "export interface GeneratedKinds {",
    ...kinds.map(({ kind }) => `  readonly ${kind}: ${kind};`),
    "}",
    "",
    "/** Every generated kind. Validators and schemas load on first use. */",
    "export const generatedKinds = {",
    ...kinds.flatMap(toEntry),
    "} satisfies Readonly<Record<keyof GeneratedKinds, GeneratedKind>>;",
    "",
  ].join("\n");
}

function toEntry({ kind, stem, group, versions, plural, namespaced }: TableKind): string[] {
  return [
    `  ${kind}: {`,
    `    kind: ${JSON.stringify(kind)},`,
    `    group: ${JSON.stringify(group)},`,
    `    versions: [${versions.map((version) => JSON.stringify(version)).join(", ")}],`,
    `    plural: ${JSON.stringify(plural)},`,
    `    namespaced: ${String(namespaced)},`,
    `    loadValidator: () => import("./validators/${stem}.js"),`,
    `    loadSchema: () => import("./schemas/${stem}.json", { with: { type: "json" } }),`,
    "  },",
  ];
}
