import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeClaim } from "./claim.ts";
import { toLiveObject } from "./live-objects.ts";

const key = { kind: "Deployment", namespace: "shop", name: "edge-sallyport" } as const;
const made = {
  labels: { "app.kubernetes.io/managed-by": "sallyport-controller" },
  annotations: { "sallyport.io/controller-name": "ours" },
};

function judge(metadata: Readonly<Record<string, unknown>>, owners: readonly string[] = ["edge"]): string {
  const live = toLiveObject(key, { metadata: { uid: "1", ...metadata } });
  const claim = judgeClaim(live, { owners: new Set(owners), controllerName: "ours" });
  return claim.kind === "foreign" ? claim.message : claim.kind;
}

function owner(name: string, controller: boolean): Readonly<Record<string, unknown>> {
  return { kind: "Gateway", name, uid: name, controller };
}

test("what the Gateway owns is ours, even without its labels", () => {
  assert.equal(judge({ ownerReferences: [owner("edge", true)] }), "ours");
});

test("one owner of several is enough, for the one that controls may be gone", () => {
  assert.equal(judge({ ...made, ownerReferences: [owner("gone", true), owner("edge", false)] }), "ours");
});

test("what was left behind by its owner is taken back", () => {
  assert.equal(judge(made), "ours");
});

test("what another controller of the same kind left behind is not", () => {
  const theirs = { ...made, annotations: { "sallyport.io/controller-name": "theirs" } };
  assert.match(judge(theirs), /^Deployment shop\/edge-sallyport exists already and was not made by this controller: /);
});

test("what nobody of us made is left alone, and the message says whose it is", () => {
  assert.match(judge({}), /exists already and was not made by this controller: it is left alone/);
  assert.match(judge({ ownerReferences: [owner("other", true)] }), /belongs to Gateway other: it is left alone/);
});

test("what was made for another Gateway is left alone", () => {
  assert.match(judge({ ...made, ownerReferences: [owner("other", true)] }), /was made for Gateway other/);
});

test("what is being deleted is waited for, whoever has it", () => {
  assert.equal(judge({ deletionTimestamp: "2026-01-01T00:00:00Z" }), "ending");
});
