import assert from "node:assert/strict";
import { test } from "node:test";
import { listFiles, type SourceFile } from "./source-files.ts";

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const files = listFiles();

function find(path: string): SourceFile {
  const file = files.find((candidate) => candidate.path === path);
  assert.ok(file, `${path} is missing`);
  return file;
}

/** Name and version of everything our packages ask for, apart from one another. */
function dependencies(): [name: string, version: string][] {
  const manifests = files.filter(({ path }) => /^([a-z]+\/)?package\.json$/.test(path));
  const entries = manifests.flatMap(({ text }) => {
    const manifest = JSON.parse(text) as Manifest;
    return Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  });
  return entries.filter(([name]) => !name.startsWith("@sallyport/"));
}

test("every dependency has its reason in docs/dependencies.md", () => {
  const { text } = find("docs/dependencies.md");
  const rows = text.split("\n").filter((line) => line.startsWith("|"));
  const told = new Set(rows.flatMap((row) => (row.split("|")[1] ?? "").split(",").map((name) => name.trim())));
  const missing = dependencies().filter(([name]) => !told.has(name));
  assert.deepEqual(missing, []);
});

test("every dependency has one exact version, the same for all who use it", () => {
  const versions = new Map<string, Set<string>>();
  for (const [name, version] of dependencies()) {
    assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, `${name} ${version} is a range`);
    versions.set(name, (versions.get(name) ?? new Set()).add(version));
  }
  const split = [...versions].filter(([, found]) => found.size > 1);
  assert.deepEqual(split, []);
});

test("the lock file names no host, so that it installs from any registry", () => {
  const hosts = find("package-lock.json").text.match(/"resolved": "https?:[^"]*"/g) ?? [];
  assert.deepEqual(hosts, []);
});
