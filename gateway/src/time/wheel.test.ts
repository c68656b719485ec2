import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Timed, Wheel } from "./wheel.ts";

class Entry extends Timed {
  late = 0;
  visits = 0;
  onLateDo: () => void = () => undefined;

  override onLate(): void {
    this.late++;
    this.onLateDo();
  }

  override onVisit(): void {
    this.visits++;
  }
}

function advance(wheel: Wheel, ticks: number): void {
  for (let i = 0; i < ticks; i++) wheel.advance();
}

test("an entry is late after its time, at most one tick later, and once", () => {
  const wheel = new Wheel(10);
  const entry = new Entry();
  wheel.arm(entry, 35);
  advance(wheel, 4);
  assert.equal(entry.late, 0);
  advance(wheel, 1);
  assert.equal(entry.late, 1);
  advance(wheel, 200);
  assert.equal(entry.late, 1);
  assert.equal(wheel.count, 0);
});

test("a deadline moved later costs no new place, and counts", () => {
  const wheel = new Wheel(10);
  const entry = new Entry();
  wheel.arm(entry, 100);
  const { lookAt } = entry;
  wheel.arm(entry, 5000);
  assert.equal(entry.lookAt, lookAt);
  advance(wheel, 500);
  assert.equal(entry.late, 0);
  assert.ok(entry.visits > 0);
  advance(wheel, 1);
  assert.equal(entry.late, 1);
});

test("a deadline moved earlier is met", () => {
  const wheel = new Wheel(10);
  const entry = new Entry();
  wheel.arm(entry, 5000);
  wheel.arm(entry, 20);
  advance(wheel, 3);
  assert.equal(entry.late, 1);
});

test("a disarmed entry is never late, not even in the tick in which it falls due", () => {
  const wheel = new Wheel(10);
  const first = new Entry();
  const second = new Entry();
  for (const [one, other] of [
    [first, second],
    [second, first],
  ] as const)
    one.onLateDo = () => wheel.disarm(other);
  wheel.arm(first, 20);
  wheel.arm(second, 20);
  advance(wheel, 10);
  assert.equal(first.late + second.late, 1);
  assert.equal(wheel.count, 0);
  wheel.disarm(first);
  assert.equal(wheel.count, 0);
});

test("an entry may be armed again when it is late", () => {
  const wheel = new Wheel(10);
  const entry = new Entry();
  entry.onLateDo = () => wheel.arm(entry, 10);
  wheel.arm(entry, 10);
  advance(wheel, 2 + 2 * 5);
  assert.equal(entry.late, 6);
});

test("whatever is done to it, the wheel meets each deadline in its tick", () => {
  const action = fc.record({
    entry: fc.nat(4),
    kind: fc.constantFrom("arm", "arm", "disarm", "advance", "advance"),
    ticks: fc.nat(150),
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const wheel = new Wheel(1);
      let now = 0;
      const due: (number | undefined)[] = [];
      const entries = Array.from({ length: 5 }, (_, i) => {
        const entry = new Entry();
        entry.onLateDo = () => {
          assert.equal(due[i], now);
          due[i] = undefined;
        };
        return entry;
      });
      for (const { entry: i, kind, ticks } of actions) {
        const entry = entries[i];
        if (entry === undefined) continue;
        if (kind === "arm") {
          wheel.arm(entry, ticks);
          due[i] = now + ticks + 1;
        } else if (kind === "disarm") {
          wheel.disarm(entry);
          due[i] = undefined;
        } else
          for (let tick = 0; tick < ticks; tick++) {
            now++;
            wheel.advance();
          }
        assert.equal(wheel.count, due.filter((at) => at !== undefined).length);
        for (const at of due) assert.ok(at === undefined || at > now);
      }
    }),
    { numRuns: 200 },
  );
});

test("what is left of a time is never more than there will be", () => {
  const wheel = new Wheel(10);
  const entry = new Entry();
  assert.equal(wheel.left(entry), Infinity);
  wheel.arm(entry, 995);
  assert.equal(wheel.left(entry), 1000);
  advance(wheel, 70);
  assert.equal(wheel.left(entry), 300);
  advance(wheel, 30);
  assert.deepEqual([wheel.left(entry), entry.late], [0, 0]);
  advance(wheel, 1);
  assert.deepEqual([wheel.left(entry), entry.late], [0, 1]);
  wheel.disarm(entry);
  assert.equal(wheel.left(entry), Infinity);
});
