import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChangePart } from "@sallyport/model/distribution";
import { EMPTY_SNAPSHOT } from "@sallyport/model/snapshot";
import { Receiver, type VersionedSnapshot } from "./receiver.ts";

const NOTHING: VersionedSnapshot = { snapshot: EMPTY_SNAPSHOT, versions: new Map() };

function toPart(nonce: number, more: boolean, keys: readonly string[], removed: readonly string[] = []): ChangePart {
  const upserted = keys.map((key) => ({ version: `v${nonce}`, resource: { kind: "endpoints", key, endpoints: [] } }));
  return { kind: "change", nonce, more, upserted, removed: [...removed] };
}

test("a change in parts becomes one candidate on top of what is held", () => {
  const receiver = new Receiver(NOTHING);
  assert.deepEqual(receiver.take(toPart(1, true, ["a", "__proto__"])), { kind: "partial" });
  const step = receiver.take(toPart(1, false, ["b"]));
  assert.ok(step.kind === "candidate");
  assert.deepEqual([...step.candidate.versions.keys()], ["endpoints|a", "endpoints|__proto__", "endpoints|b"]);
  receiver.commit(step.candidate);
  const next = receiver.take(toPart(2, false, [], ["endpoints|a", "endpoints|never", "__proto__"]));
  assert.ok(next.kind === "candidate");
  assert.deepEqual([...next.candidate.snapshot.resources.keys()], ["endpoints|__proto__", "endpoints|b"]);
});

test("what was not committed is not held", () => {
  const receiver = new Receiver(NOTHING);
  receiver.take(toPart(1, false, ["a"]));
  const step = receiver.take(toPart(2, false, ["b"]));
  assert.ok(step.kind === "candidate");
  assert.deepEqual([...step.candidate.versions.keys()], ["endpoints|b"]);
});

test("one bad resource refuses the whole change, by name, and the next one is judged afresh", () => {
  const receiver = new Receiver(NOTHING);
  const bad = { version: "v", resource: { kind: "endpoints", key: "bad", endpoints: 7 } };
  receiver.take({ ...toPart(1, true, ["a"]), upserted: [bad] });
  const step = receiver.take(toPart(1, false, ["b"]));
  assert.ok(step.kind === "flawed" && step.nonce === 1);
  assert.match(step.problems.join(), /^the resource endpoints\|bad: endpoints: endpoints must be array/);
  assert.equal(receiver.take(toPart(2, false, ["b"])).kind, "candidate");
});

test("a reference that leads nowhere refuses the change", () => {
  const receiver = new Receiver(NOTHING);
  const resource = {
    kind: "stream-route",
    key: "r",
    age: "1",
    attachments: [{ listener: "gone", hostnames: [] }],
    backends: [],
  };
  const step = receiver.take({ ...toPart(1, false, []), upserted: [{ version: "v", resource }] });
  assert.equal(step.kind, "flawed");
});

test("parts of another change, and numbers that do not grow, break the stream", () => {
  const receiver = new Receiver(NOTHING);
  receiver.take(toPart(3, true, ["a"]));
  assert.equal(receiver.take(toPart(4, false, ["b"])).kind, "broken");
  const other = new Receiver(NOTHING);
  other.take(toPart(3, false, ["a"]));
  assert.equal(other.take(toPart(3, false, ["b"])).kind, "broken");
});

test("a million removed ids cost their size and no more", () => {
  const receiver = new Receiver(NOTHING);
  const removed = Array.from({ length: 1_000_000 }, (_, index) => `endpoints|${index}`);
  const step = receiver.take(toPart(1, false, ["a"], removed));
  assert.ok(step.kind === "candidate" && step.candidate.snapshot.resources.size === 1);
});
