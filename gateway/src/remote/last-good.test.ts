import assert from "node:assert/strict";
import { readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { LastGood } from "./last-good.ts";
import type { VersionedSnapshot } from "./receiver.ts";

const KEPT: VersionedSnapshot = {
  snapshot: { resources: new Map([["endpoints|a", { kind: "endpoints", key: "a", endpoints: [] }]]) },
  versions: new Map([["endpoints|a", "v1"]]),
};

function openLastGood(directory: string, group = "shop/web"): LastGood {
  return new LastGood({ directory, group, onFailure: (error) => assert.fail(String(error)) });
}

test("what was written is read again, by nobody else, and no part of it and no other group's is taken for it", async () => {
  using directory = openTemporaryDirectory();
  const state = directory.file("state");
  assert.equal((await openLastGood(state).read()).kind, "none");
  const kept = openLastGood(state);
  kept.write(KEPT);
  await kept.settled();
  const path = directory.file("state/last-good.jsonl");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const text = readFileSync(path, "utf8");
  assert.deepEqual(await openLastGood(state).read(), { kind: "found", configuration: KEPT });
  for (let length = 0; length < text.length - 1; length++) {
    writeFileSync(path, text.slice(0, length));
    assert.equal((await openLastGood(state).read()).kind, "unusable", String(length));
  }
  writeFileSync(path, text);
  assert.equal((await openLastGood(state, "shop/other").read()).kind, "unusable");
});

test("a link is not followed, and set aside", async () => {
  using directory = openTemporaryDirectory();
  const kept = openLastGood(directory.file("state"));
  kept.write(KEPT);
  await assert.doesNotReject(kept.read());
  await kept.settled();
  const other = openTemporaryDirectory();
  symlinkSync(directory.file("state/last-good.jsonl"), other.file("last-good.jsonl"));
  const found = await openLastGood(other.file("")).read();
  assert.ok(found.kind === "unusable" && found.reason.includes("ELOOP"));
  other.close();
});
