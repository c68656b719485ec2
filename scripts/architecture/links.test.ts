// Links of the documentation lead to files that are there, and to headings that they have.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { test } from "node:test";
import { listFiles, type SourceFile } from "./source-files.ts";

const ROOT = dirname(dirname(import.meta.dirname));
const pages = listFiles().filter(({ path }) => path.endsWith(".md"));

test("every link of a page leads somewhere", () => {
  assert.ok(pages.length > 30, `only ${pages.length} pages`);
  assert.deepEqual(brokenLinks(pages), []);
});

test("a file and a heading that are not there are found", () => {
  const a = { path: "docs/a.md", text: "[x](b.md#two-words) [y](b.md#three) [z](gone.md) [w](#here)\n\n# Here\n" };
  const b = { path: "docs/b.md", text: "```\n# three\n```\n\n## `Two` words!\n" };
  assert.deepEqual(brokenLinks([a, b]), ["docs/a.md: b.md#three", "docs/a.md: gone.md"]);
});

function brokenLinks(all: readonly SourceFile[]): string[] {
  const headings = new Map(all.map(({ path, text }) => [path, findHeadings(text)]));
  return all.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link = ""]) => link)
      .filter((link) => !/^[a-z]+:/.test(link) && !leads(path, link, headings))
      .map((link) => `${path}: ${link}`),
  );
}

function leads(from: string, link: string, headings: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  const [file = "", heading] = link.split("#");
  const target = file === "" ? from : posix.join(posix.dirname(from), file);
  const known = headings.get(target);
  if (known === undefined) return existsSync(join(ROOT, target));
  return heading === undefined || known.has(heading);
}

/** Names of the headings of a page, as GitHub makes them. */
function findHeadings(text: string): ReadonlySet<string> {
  const prose = text.replaceAll(/^```.*?^```$/gms, "");
  return new Set(
    [...prose.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
      title
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}
