import assert from "node:assert/strict";
import { test } from "node:test";
import { sendJson } from "./api-server.ts";
import { openRig } from "./kube-api-rig.ts";

const get = { method: "GET", path: "/api/v1/configmaps" } as const;

test("more requests than the rate allows are spread, in order", async () => {
  await using rig = await openRig({ rate: { perSecond: 100, burst: 2 } });
  rig.server.serve("/api/v1/configmaps");
  const start = performance.now();
  await Promise.all(Array.from({ length: 12 }, async () => rig.api.send(get)));
  assert.ok(performance.now() - start >= 99, String(performance.now() - start));
});

test("an urgent request does not wait for the rate", async () => {
  await using rig = await openRig({ rate: { perSecond: 0.001, burst: 1 } });
  rig.server.script = (_, answer) => (sendJson(answer, 200, { kind: "Thing" }), true);
  await rig.api.send(get);
  await rig.api.send({ ...get, urgent: true });
  assert.equal(rig.server.seen.length, 2);
});
