import assert from "node:assert/strict";
import { test } from "node:test";
import type { Problem } from "@sallyport/model/problem";
import { countProblems } from "./problems.ts";

const problem = (severity: Problem["severity"]): Problem => ({ code: "invalid-value", severity, message: "x" });

test("problems are counted by severity, and a kind that does not occur is not named", () => {
  assert.equal(countProblems([]), "no problems");
  assert.equal(countProblems([problem("error")]), "1 error");
  assert.equal(countProblems([problem("warning"), problem("warning")]), "2 warnings");
  assert.equal(countProblems([problem("error"), problem("warning"), problem("error")]), "2 errors, 1 warning");
});
