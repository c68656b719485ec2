import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestIds } from "./request-id.ts";

test("ids are distinct UUIDs of version 8, and end a head", () => {
  const ids = new RequestIds();
  const seen = new Set<string>();
  for (let i = 0; i < 10_000; i++) {
    const line = ids.nextLine();
    assert.match(line, /^x-request-id: [0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}\r\n\r\n$/);
    assert.equal(line, `x-request-id: ${ids.stem}${ids.end}\r\n\r\n`);
    seen.add(ids.stem + ids.end);
  }
  assert.equal(seen.size, 10_000);
});

test("two threads have different ids", () => {
  assert.notEqual(new RequestIds().nextLine(), new RequestIds().nextLine());
});
