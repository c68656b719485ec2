// What docs/ shows as YAML can be applied as it stands: every snippet goes through the decoder and the translation that users' files do.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { formatProblem, type Problem } from "@sallyport/model/problem";
import { parseAllDocuments, stringify } from "yaml";
import { isRecord } from "../src/kube/field-path.ts";
import { translateWorld } from "../src/translate/run.ts";
import { goldenOptions } from "./golden-world.ts";
import { loadWorld } from "./load-world.ts";

const directory = fileURLToPath(new URL("../../docs/", import.meta.url));

/** YAML of a page, `line` where it begins. */
interface Snippet {
  readonly page: string;
  readonly line: number;
  readonly text: string;
}

/** How YAML of objects begins, and no command, log line or answer does. */
const BEGINS = /^(apiVersion: .*|[a-z][A-Za-z]*:( \{.*\})?)$/m;

/** What is said of a snippet because the objects that it refers to are not shown with it. */
const ELSEWHERE: readonly Problem["code"][] = ["unresolved-reference", "not-attached"];

const metadata = { name: "shown", namespace: "shop" };
const ROUTE = { apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute", metadata };
const POLICY = { apiVersion: "policy.sallyport.io/v1alpha1", kind: "BackendTrafficPolicy", metadata };

const snippets = readdirSync(directory, { recursive: true, encoding: "utf8" })
  .filter((page) => page.endsWith(".md"))
  .toSorted()
  .flatMap((page) => findSnippets(page, readFileSync(`${directory}${page}`, "utf8")));

for (const snippet of snippets) {
  test(`docs/${snippet.page}:${snippet.line} is taken as it stands`, async () => {
    assert.deepEqual(await findProblems(snippet), []);
  });
}

test("snippets are found, in fences and by indentation, and other text is not", () => {
  assert.ok(snippets.length > 20, `only ${snippets.length}`);
  const text =
    "a:\n\n    spec:\n      x: 1\n\n      y: 2\n\nb\n\n```yaml\nkind: A\n```\n\n    curl a:\n\n```sh\nspec:\n```\n";
  assert.deepEqual(findSnippets("a.md", text), [
    { page: "a.md", line: 3, text: "spec:\n  x: 1\n\n  y: 2" },
    { page: "a.md", line: 11, text: "kind: A" },
  ]);
});

test("a field that does not exist, and a value that cannot be used, are found", async () => {
  const misspelt = await findProblems({ page: "a.md", line: 1, text: "retry: { attempt: 3 }" });
  assert.match(misspelt.join("\n"), /did you mean "attempts"/);
  const table = "consistentHash: { maglev: { tableSize: 4 }, keys: [{ type: SourceAddress }] }";
  const text = `loadBalancer: { type: ConsistentHash, ${table} }`;
  assert.match((await findProblems({ page: "a.md", line: 1, text })).join("\n"), /the next prime is 5/);
});

async function findProblems(snippet: Snippet): Promise<readonly string[]> {
  const { world, problems } = await loadWorld({ [snippet.page]: toObjects(snippet.text) });
  const translated = translateWorld(world, goldenOptions).problems;
  return [...problems, ...translated.filter(({ code }) => !ELSEWHERE.includes(code))].map(formatProblem);
}

/** The objects of a snippet, which has them whole, or the `spec` of a policy, or fields of one, or the rules of a route. */
function toObjects(text: string): string {
  if (text.startsWith("apiVersion:")) return text;
  const documents = parseAllDocuments(text);
  assert.equal(documents.length, 1);
  const value: unknown = documents[0]?.toJS();
  assert.ok(isRecord(value));
  if ("rules" in value) return stringify({ ...ROUTE, spec: { parentRefs: [{ name: "edge" }], ...value } });
  const fields = isRecord(value["spec"]) ? value["spec"] : value;
  return stringify({ ...POLICY, spec: { targetRefs: [{ group: "", kind: "Service", name: "web" }], ...fields } });
}

function findSnippets(page: string, text: string): Snippet[] {
  const fenced = [...text.matchAll(/^```yaml\n(.*?)\n```$/gms)].map((match) => ({
    page,
    line: countLines(text, match.index) + 1,
    text: match[1] ?? "",
  }));
  // Emptied instead of cut, so that what follows keeps its line.
  const rest = text.replaceAll(/^```.*?^```$/gms, (fence) => fence.replaceAll(/[^\n]/g, ""));
  const indented = [...rest.matchAll(/(?<=\n\n) {4}.*(?:\n+ {4}.*)*/g)].map((match) => ({
    page,
    line: countLines(rest, match.index),
    text: match[0].replaceAll(/^ {4}/gm, ""),
  }));
  return [...indented.filter((snippet) => BEGINS.test(snippet.text.split("\n")[0] ?? "")), ...fenced];
}

/** The number of the line that this place is in. */
function countLines(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
