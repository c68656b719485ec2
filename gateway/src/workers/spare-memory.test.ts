import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { getHeapSpaceStatistics, getHeapStatistics } from "node:v8";
import { returnSpareMemory } from "./spare-memory.ts";

const MB = 1_000_000;

describe("spare memory", () => {
  it("collects garbage and shrinks what was grown for it", () => {
    makeGarbage();
    const [usedBefore, youngBefore] = [getHeapStatistics().used_heap_size, sizeOfYoung()];
    returnSpareMemory();
    assert.ok(usedBefore - getHeapStatistics().used_heap_size > 20 * MB, "the garbage is still there");
    assert.ok(sizeOfYoung() < youngBefore / 2, `the young generation keeps ${sizeOfYoung()} of ${youngBefore} bytes`);
  });

  it("leaves no collector behind for others to call", () => {
    returnSpareMemory();
    assert.equal(globalThis.gc, undefined);
  });
});

/** Much that lives for a while, so that the young generation grows, and is then let go. */
function makeGarbage(): void {
  const kept: string[][] = [];
  for (let i = 0; i < 200_000; i++) kept.push([`text ${i}`, `other ${i}`]);
  assert.equal(kept.length, 200_000);
}

function sizeOfYoung(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space")?.space_size ?? 0;
}
