import assert from "node:assert/strict";
import { test } from "node:test";
import type { Manifest } from "./manifest.ts";
import { ObjectState } from "./object-state.ts";

const metadata = { name: "edge", namespace: "shop", labels: { team: "edge" }, annotations: {}, ownerReferences: [] };
const manifest: Manifest = { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ port: 80 }] } };
const live = { ...manifest, spec: { ports: [{ port: 80, nodePort: 31_000 }], clusterIP: "10.0.0.1" }, status: {} };
const changed = { ...live, spec: { ports: [{ port: 81, nodePort: 31_000 }] } };

/** A state with a clock that is moved by hand, and no jitter. */
function open(): { readonly state: ObjectState; readonly pass: (millis: number) => void } {
  let now = 1000;
  return {
    state: new ObjectState(
      () => now,
      () => 1,
    ),
    pass: (millis) => (now += millis),
  };
}

test("what was applied is settled until the manifest changes", () => {
  const { state } = open();
  assert.equal(state.isSettled(manifest), false);
  state.begin();
  state.succeed(manifest, live, true);
  assert.equal(state.isSettled(manifest), true);
  assert.equal(state.isSettled({ ...manifest, spec: { ports: [{ port: 443 }] } }), false);
});

test("only changes of what we apply count as changes", () => {
  const { state } = open();
  state.succeed(manifest, live, true);
  const status = { ...live, status: { loadBalancer: {} }, spec: { ...live.spec, externalIPs: ["192.0.2.1"] } };
  const labelled = { ...live, metadata: { ...metadata, labels: { team: "edge", other: "1" } } };
  assert.equal(state.observe(status), false);
  assert.equal(state.observe(labelled), false);
  assert.equal(state.isSettled(manifest), true);
  assert.equal(state.observe({ ...live, metadata: { ...metadata, labels: { team: "theirs" } } }), true);
  assert.equal(state.isSettled(manifest), false);
});

test("the first change by somebody else is undone at once, the next ones ever later, and all is forgotten after a while", () => {
  const { state, pass } = open();
  state.succeed(manifest, live, true);
  const waits = [1, 2, 3].map(() => {
    state.observe(changed);
    const wait = (state.wakeAt ?? 0) > 0 && state.isWaiting;
    state.succeed(manifest, live, true);
    return wait;
  });
  assert.deepEqual(waits, [false, true, true]);
  pass(300_001);
  state.observe(changed);
  assert.equal(state.isWaiting, false);
});

test("a change that was told while an apply was under way is not lost", () => {
  const { state } = open();
  state.begin();
  state.observe(changed);
  state.succeed(manifest, live, false);
  assert.equal(state.isSettled(manifest), false);
  state.begin();
  state.observe(changed);
  state.succeed(manifest, live, true);
  assert.equal(state.isSettled(manifest), true);
});

test("failures are waited for ever longer, as long as the server asks, and not at all once something changed", () => {
  const { state, pass } = open();
  state.fail(undefined);
  assert.equal(state.wakeAt, 1500);
  pass(500);
  assert.equal(state.isWaiting, false);
  state.fail(undefined);
  assert.equal(state.wakeAt, 2500);
  state.fail(30_000);
  assert.ok((state.wakeAt ?? 0) >= 31_500);
  state.relent();
  assert.equal(state.isWaiting, false);
});

test("what is gone is made anew at once, and one that somebody deletes again and again ever later", () => {
  const { state } = open();
  state.succeed(manifest, live, true);
  state.forget();
  assert.equal(state.isSettled(manifest), false);
  assert.equal(state.isWaiting, false);
  state.succeed(manifest, live, true);
  state.forget();
  assert.equal(state.isWaiting, true);
});
