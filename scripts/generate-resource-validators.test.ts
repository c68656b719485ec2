import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { generateValidators } from "./generate-resource-validators.ts";

test("the committed validators of resources and messages are those of today's schemas", () => {
  for (const [name, code] of generateValidators()) {
    assert.equal(readFileSync(new URL(`../model/src/generated/${name}`, import.meta.url), "utf8"), code, name);
  }
});
