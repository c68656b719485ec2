/**
 * Writes the tables of docs/ that come from code, between their markers. `--check` writes nothing and fails where a page is
 * out of date. A table belongs here when a second copy of its facts would drift.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { FAULTS } from "@sallyport/model/fault";
import { renderEndpointTable } from "../gateway/src/admin/server.ts";
import { renderOperatorTable } from "../gateway/src/observe/access-operators.ts";
import { TIME_SPECIFIERS } from "../gateway/src/observe/access-time.ts";
import { renderMetricTable } from "../gateway/src/observe/families.ts";
import { ownKinds } from "./crds/own-kinds.ts";
import { renderFieldReference } from "./crds/reference.ts";

/** Pages and what is generated into each: marker name to text. */
const TABLES: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  "docs/http.md": { faults: toFaultTable },
  "docs/metrics.md": { table: renderMetricTable },
  "docs/access-log.md": { table: renderOperatorTable, specifiers: toSpecifiers },
  "docs/admin.md": { table: renderEndpointTable },
  ...Object.fromEntries(ownKinds.map((own) => [own.page, { fields: () => renderFieldReference(own) }])),
};

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
let stale = 0;
for (const [page, tables] of Object.entries(TABLES)) {
  const url = new URL(`../${page}`, import.meta.url);
  const before = readFileSync(url, "utf8");
  let after = before;
  for (const [name, toText] of Object.entries(tables)) after = fill(after, { page, name, text: toText() });
  if (after === before) continue;
  if (values.check) {
    stale++;
    console.error(`${page} is out of date: run npm run docs`);
  } else writeFileSync(url, after);
}
process.exitCode = stale === 0 ? 0 : 1;

/** Replaces what stands between `<!-- generated: name -->` and `<!-- end -->`. */
function fill(text: string, { page, name, text: table }: { page: string; name: string; text: string }): string {
  const start = `<!-- generated: ${name} -->\n`;
  const from = text.indexOf(start);
  const to = text.indexOf("<!-- end -->", from);
  if (from < 0 || to < 0) throw new Error(`${page} has no markers for ${name}`);
  return `${text.slice(0, from + start.length)}\n${table}\n${text.slice(to)}`;
}

function toSpecifiers(): string {
  return `${TIME_SPECIFIERS.map((each) => `\`${each}\``).join(" ")}\n`;
}

function toFaultTable(): string {
  const rows = Object.entries(FAULTS).map(
    ([reason, { source, status, flag }]) => `| ${reason} | ${source} | ${status === 0 ? "(none)" : status} | ${flag} |`,
  );
  return ["| reason | whose doing | status | flag |", "|---|---|---|---|", ...rows, ""].join("\n");
}
