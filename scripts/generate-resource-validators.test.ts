import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { generateValidators } from "./generate-resource-validators.ts";

test("the committed resource validators are those of today's schemas", () => {
  const committed = new URL("../model/src/generated/resource-validators.js", import.meta.url);
  assert.equal(readFileSync(committed, "utf8"), generateValidators());
});
