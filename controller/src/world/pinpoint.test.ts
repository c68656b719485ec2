import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Problem } from "@sallyport/model/problem";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { pinpointProblems } from "./pinpoint.ts";

const YAML = `a: 1
---
kind: Thing
spec:
  names:
    - { name: one }
    - { name: two }
---
kind: List
items:
  - kind: Thing
    spec: { names: [{ name: three }] }
`;

async function whereOf(line: number, column: number, path: string): Promise<string> {
  using directory = openTemporaryDirectory({ "a.yaml": YAML });
  const file = join(directory.path, "a.yaml");
  const problem: Problem = {
    code: "invalid-value",
    severity: "warning",
    message: "x",
    path,
    source: { file, line, column },
  };
  const [found] = await pinpointProblems([problem]);
  return `${found?.source?.line}:${found?.source?.column}`;
}

test("a problem is put at the value its path names, in any document of the file", async () => {
  assert.equal(await whereOf(3, 1, "spec.names[1].name"), "7:15");
  assert.equal(await whereOf(3, 1, "spec.names"), "6:5");
});

test("items of a List are objects too", async () => {
  assert.equal(await whereOf(11, 5, "spec.names[0].name"), "12:29");
});

test("a field that is not there is put at the nearest thing around it", async () => {
  assert.equal(await whereOf(3, 1, "spec.names[1].port"), "7:7");
});

test("an object that moved away and a file that is gone leave the problem where it was", async () => {
  assert.equal(await whereOf(4, 1, "spec.names"), "4:1");
  const source = { file: "/nonexistent/a.yaml", line: 1, column: 1 };
  const problem: Problem = { code: "invalid-value", severity: "warning", message: "x", path: "spec", source };
  assert.deepEqual(await pinpointProblems([problem]), [problem]);
});
