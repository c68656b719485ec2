import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { replaceFile, writeObjects } from "./sallyport-objects.ts";

function everything(directory: string): string {
  return readdirSync(directory)
    .map((name) => readFileSync(`${directory}/${name}`, "utf8"))
    .join("---\n");
}

test("one route serves everything on the listener's port to the backend", () => {
  using directory = openTemporaryDirectory();
  writeObjects(directory.path, { port: 8081, backendPort: 9001, routes: "one" });
  const text = everything(directory.path);
  assert.equal(text.match(/^kind: HTTPRoute$/gm)?.length, 1);
  assert.match(text, /port: 8081\n {6}protocol: HTTP/);
  assert.match(text, /sallyport\.io\/endpoints: "127\.0\.0\.1:9001"/);
  assert.doesNotMatch(text, /hostnames/);
});

test("many routes are ten thousand with different names over a thousand hosts", () => {
  using directory = openTemporaryDirectory();
  writeObjects(directory.path, { port: 8081, backendPort: 9001, routes: "many" });
  const text = everything(directory.path);
  assert.equal(new Set(text.match(/^ {2}name: route-\d+-\d+$/gm)).size, 10_000);
  assert.equal(new Set(text.match(/^ {4}- host-\d+\.bench\.example\.test$/gm)).size, 1000);
});

test("a file is replaced by one with the new objects, and nothing else is left in the directory", () => {
  using directory = openTemporaryDirectory({ "route.yaml": "old" });
  replaceFile(directory.path, "route.yaml", ["kind: A\n", "kind: B\n"]);
  assert.equal(readFileSync(directory.file("route.yaml"), "utf8"), "kind: A\n---\nkind: B\n");
  assert.deepEqual(readdirSync(directory.path), ["route.yaml"]);
});
