/** Directories of real files become worlds. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync } from "node:fs";
import { relative } from "node:path";
import { test } from "node:test";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { defaultFolderLimits } from "../../src/world/folder.ts";
import { loadWorld } from "../../src/world/load.ts";
import { pinpointProblems } from "../../src/world/pinpoint.ts";
import { configMapText, toLines, valuesOf } from "./objects.ts";

async function complain(files: Readonly<Record<string, string>>): Promise<string[]> {
  using directory = openTemporaryDirectory(files);
  const { world, problems } = await loadWorld(directory.path);
  assert.equal(
    world === undefined,
    problems.some(({ severity }) => severity === "error"),
  );
  return toLines(problems, directory.path);
}

const gatewayHead = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: edge}\n";

test("all files of a tree are read, other files and hidden ones are not", async () => {
  using directory = openTemporaryDirectory({
    "a.yaml": configMapText("a", "1"),
    "deep/er/b.yml": configMapText("b", "2"),
    "c.json": JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" }, data: { value: "3" } }),
    "notes.txt": "a: [",
    "a.yaml~": "a: [",
    ".hidden.yaml": "a: [",
    ".git/config.yaml": "a: [",
    "d.yaml.swp": "a: [",
  });
  const { world, problems } = await loadWorld(directory.path);
  assert.deepEqual(problems, []);
  assert.deepEqual(valuesOf(world), ["a=1", "b=2", "c=3"]);
});

test("a file can be given instead of a directory", async () => {
  using directory = openTemporaryDirectory({ "a.yaml": configMapText("a", "1"), "b.yaml": configMapText("b", "2") });
  assert.deepEqual(valuesOf((await loadWorld(directory.file("a.yaml"))).world), ["a=1"]);
});

test("names of files are shown as the user wrote the directory", async () => {
  using directory = openTemporaryDirectory({ "sub/a.yaml": "kind: x\n" });
  const written = `${relative(process.cwd(), directory.path)}/`;
  const { problems } = await loadWorld(written);
  assert.equal(problems[0]?.source?.file, `${written}sub/a.yaml`);
});

test("every finding of every file comes with file, line and column", async () => {
  assert.deepEqual(
    await complain({
      "a.yaml": `# gateway\n${gatewayHead}spec:\n  gatewayClassName: c\n  listeners:\n    - name: a\n      prt: 80\n      port: "81"\n      protocol: HTTP\n`,
      "b.yaml": `${configMapText("b", "1")}---\n${gatewayHead}spec:\n  gatewayClassName: c\n  listeners: []\n`,
      "c.yaml": "a: 1\n  b: 2\n",
    }),
    [
      'a.yaml:9:7: error: unknown field "prt" (Gateway default/edge, spec.listeners[0].prt); did you mean "port"?',
      "a.yaml:10:13: error: must be an integer, not a string (Gateway default/edge, spec.listeners[0].port); write it without quotes",
      "b.yaml:13:14: error: needs at least 1 entry (Gateway default/edge, spec.listeners)",
      "c.yaml:1:4: error: nested mappings are not allowed in compact mappings; a value with a colon in it needs quotes; a nested map needs a line of its own",
      'c.yaml:1:4: error: implicit keys need to be on a single line; is a ":" missing at the end of a field name?',
    ],
  );
});

test("what cannot be an object is named", async () => {
  assert.deepEqual(
    await complain({ "a.yaml": "just text\n---\n- 1\n---\nkind: Service\n---\napiVersion: v1\nmetadata: {name: x}\n" }),
    [
      "a.yaml:1:1: error: is a string, not a Kubernetes object",
      "a.yaml:3:1: error: is a list, not a Kubernetes object",
      "a.yaml:5:1: error: apiVersion is required (apiVersion); every object needs apiVersion, kind and metadata.name",
      "a.yaml:7:1: error: kind is required (kind); every object needs apiVersion, kind and metadata.name",
    ],
  );
});

test("objects that are not ours are counted, once for each kind", async () => {
  const deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n";
  const policy = "apiVersion: gateway.networking.k8s.io/v1alpha2\nkind: BackendLBPolicy\nmetadata: {name: x}\n";
  const lines = await complain({
    "a.yaml": `${deployment}---\n${policy}`,
    "b.yaml": `${deployment}---\n${deployment}`,
  });
  assert.equal(lines.length, 2);
  assert.match(
    lines[0] ?? "",
    /^a.yaml:1:1: warning: 3 objects of kind Deployment \(apps\/v1\) are not used; .*HTTPRoute/,
  );
  assert.match(lines[1] ?? "", /^a.yaml:5:1: warning: BackendLBPolicy .* is not used/);
});

test("an object that is defined twice is an error that names both places", async () => {
  assert.deepEqual(
    await complain({
      "a.yaml": configMapText("a", "1"),
      "b.yaml": `# again\n${configMapText("a", "2").replace("name: a", "name: a\n  namespace: default")}`,
    }),
    ["b.yaml:2:1: error: is defined twice: also at a.yaml:1:1 (ConfigMap default/a)"],
  );
});

test("objects of one name in two namespaces or of two kinds are not the same", async () => {
  const other = configMapText("a", "2").replace("name: a", "name: a\n  namespace: other");
  assert.deepEqual(await complain({ "a.yaml": `${configMapText("a", "1")}---\n${other}` }), []);
});

test("the items of a List are objects, with places of their own", async () => {
  using directory = openTemporaryDirectory({
    "a.yaml":
      "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n" +
      "- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: b}\n  dat: {}\n",
  });
  const { problems } = await loadWorld(directory.path);
  assert.deepEqual(toLines(problems, directory.path), [
    'a.yaml:10:3: error: unknown field "dat" (ConfigMap default/b, dat); did you mean "data"?',
  ]);
});

test("without timestamps the older object is the one that comes first", async () => {
  const stamped = configMapText("c", "3").replace(
    "name: c",
    'name: c\n  creationTimestamp: "2025-01-02T03:04:05+01:00"',
  );
  using directory = openTemporaryDirectory({
    "b.yaml": `${configMapText("b1", "1")}---\n${configMapText("a2", "2")}`,
    "a/z.yaml": configMapText("z", "0"),
    "c.yaml": stamped,
  });
  const { world } = await loadWorld(directory.path);
  const byAge = world?.list("ConfigMap").toSorted((left, right) => (left.age < right.age ? -1 : 1));
  assert.deepEqual(
    byAge?.map(({ name }) => name),
    ["c", "z", "b1", "a2"],
  );
});

test("a directory that is not there, or empty of files, is told apart", async () => {
  const { problems } = await loadWorld("/nonexistent/objects");
  assert.equal(problems[0]?.code, "unreadable-file");
  using directory = openTemporaryDirectory();
  const empty = await loadWorld(directory.path);
  assert.deepEqual([empty.problems, valuesOf(empty.world)], [[], []]);
});

test("a file too large is refused without being read", async () => {
  using directory = openTemporaryDirectory({ "a.yaml": configMapText("a", "1"), "big.yaml": "" });
  truncateSync(directory.file("big.yaml"), 1024 ** 4);
  const { problems } = await loadWorld(directory.path);
  assert.match(toLines(problems, directory.path)[0] ?? "", /^big.yaml:1:1: error: has 1099511627776 bytes; at most/);
});

test("more files than the limit are an error, not a part of the files", async () => {
  using directory = openTemporaryDirectory({ "a.yaml": "", "b.yaml": "", "c.yaml": "" });
  const { world, problems } = await loadWorld(directory.path, { ...defaultFolderLimits, mostFiles: 2 });
  assert.equal(world, undefined);
  assert.match(problems[0]?.message ?? "", /more than 2 files/);
});

test("text that is not UTF-8 is refused with its line, a byte order mark is not", async () => {
  using directory = openTemporaryDirectory({ "bom.yaml": `\uFEFF${configMapText("a", "1")}` });
  directory.write("latin.yaml", Buffer.from("# one\n# t\xfcr\n", "latin1"));
  const { problems } = await loadWorld(directory.path);
  assert.deepEqual(toLines(problems, directory.path), ["latin.yaml:2:1: error: this line is not UTF-8 text"]);
});

test("links are followed, in a circle only once, and a link to nothing is mentioned", async () => {
  using directory = openTemporaryDirectory({ "real/a.yaml": configMapText("a", "1") });
  using outside = openTemporaryDirectory({ "b.yaml": configMapText("b", "2"), "c.txt": configMapText("c", "3") });
  symlinkSync(outside.path, directory.file("linked"));
  symlinkSync(outside.file("c.txt"), directory.file("c.yaml"));
  symlinkSync(directory.path, directory.file("real/circle"));
  symlinkSync("nowhere.yaml", directory.file("dangling.yaml"));
  const { world, problems } = await loadWorld(directory.path);
  assert.deepEqual(valuesOf(world), ["a=1", "b=2", "c=3"]);
  assert.deepEqual(toLines(problems, directory.path), ["dangling.yaml:1:1: warning: is no file, or a link to none"]);
});

test("a mounted ConfigMap shows each file once", async () => {
  using directory = openTemporaryDirectory({ "..2026_01/a.yaml": configMapText("a", "1") });
  symlinkSync("..2026_01", directory.file("..data"));
  symlinkSync("..data/a.yaml", directory.file("a.yaml"));
  const { world, problems } = await loadWorld(directory.path);
  assert.deepEqual([valuesOf(world), problems], [["a=1"], []]);
});

test("a pipe is not waited for", async () => {
  using directory = openTemporaryDirectory({ "a.yaml": configMapText("a", "1") });
  execFileSync("mkfifo", [directory.file("pipe.yaml")]);
  mkdirSync(directory.file("folder.yaml"));
  const { world } = await loadWorld(directory.path);
  assert.deepEqual(valuesOf(world), ["a=1"]);
});

test("an alias bomb in a file is an error like any other", async () => {
  const bomb = ["a: &a [x,x,x,x,x,x,x,x,x,x]"];
  for (let level = 1; level < 10; level++)
    bomb.push(`${"abcdefghij"[level]}: &${"abcdefghij"[level]} [${`*${"abcdefghij"[level - 1]},`.repeat(10)}]`);
  assert.match(
    (await complain({ "bomb.yaml": bomb.join("\n") }))[0] ?? "",
    /bomb.yaml:\d+:\d+: error: aliases stand for/,
  );
});

test("problems of translators get the place of their field, however far down the file", async () => {
  const gateway = `${gatewayHead}spec:\n  gatewayClassName: c\n  listeners:\n    - {name: a, port: 80, protocol: HTTP}\n`;
  using directory = openTemporaryDirectory({ "a.yaml": `\uFEFF${configMapText("a", "1")}---\n${gateway}` });
  const { world } = await loadWorld(directory.path);
  const source = world?.get("Gateway", "default", "edge")?.source;
  assert.ok(source !== undefined);
  const about = { code: "conflict", severity: "error", message: "x", source } as const;
  const found = await pinpointProblems([
    { ...about, path: "spec.listeners[0].port" },
    { ...about, path: "spec.listeners[0].hostname" },
    about,
    { ...about, path: "spec", source: { ...source, file: directory.file("gone.yaml") } },
  ]);
  assert.deepEqual(
    found.map((problem) => [problem.source?.line, problem.source?.column]),
    [
      [14, 23],
      [14, 7],
      [8, 1],
      [8, 1],
    ],
  );
});
