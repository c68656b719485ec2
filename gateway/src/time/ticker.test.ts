import assert from "node:assert/strict";
import { test } from "node:test";
import { Ticker } from "./ticker.ts";
import { Timed } from "./wheel.ts";

class Once extends Timed {
  readonly late: Promise<number>;
  #resolve: (at: number) => void = () => undefined;

  constructor() {
    super();
    this.late = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  override onLate(): void {
    this.#resolve(performance.now());
  }
}

test("a ticker turns while something is armed", async (t) => {
  const ticker = new Ticker(4, 250);
  t.after(() => ticker.stop());
  const begun = performance.now();
  const entry = new Once();
  ticker.arm(entry, 30);
  // the interval keeps no process alive, so something else must
  const alive = setTimeout(() => undefined, 10_000);
  const at = await entry.late;
  clearTimeout(alive);
  assert.ok(at - begun >= 30, `late after ${at - begun} ms`);
});
