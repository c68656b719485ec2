// Every protocol case as a test of its own, against one Sallyport with a listener and a backend for each lane.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { catalogue } from "./catalogue.ts";
import { openRig } from "./fixture.ts";
import type { Rig } from "./fixture.ts";
import type { Slot } from "./exercise.ts";
import { show } from "./judge.ts";
import { runCase } from "./suite.ts";

const LANES = 6;

for (const scheme of ["http", "https"] as const) {
  describe(`protocol over ${scheme}`, { concurrency: LANES }, () => {
    let rig: Rig;
    const free: Slot[] = [];

    before(async () => {
      rig = await openRig(LANES, scheme);
      free.push(...rig.slots);
    });

    after(async () => {
      const epitaph = rig.system?.epitaph();
      await rig.close();
      assert.equal(epitaph, undefined);
    });

    for (const testCase of catalogue) {
      const skip = scheme === "https" ? (testCase.notOverTls ?? false) : false;
      test(`${testCase.id}: ${testCase.why}`, { skip }, async () => {
        const slot = free.pop();
        assert.ok(slot, "there is a slot for each test that runs at a time");
        try {
          const { faults } = await runCase(testCase, slot, "sallyport");
          const sent = testCase.send.map((step) => (typeof step === "string" ? show(step) : JSON.stringify(step)));
          assert.deepEqual(faults, [], `sent ${sent.slice(0, 12).join(" | ")}`);
        } finally {
          free.push(slot);
        }
      });
    }
  });
}
