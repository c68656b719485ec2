/** Watching a name: when it is asked again, what is kept, and when it is given up. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { NameResolver, ResolvedName, UnresolvedName } from "../contract.ts";
import { NameWatch } from "./name-watch.ts";

/** A resolver and a clock that the test drives. */
class Script implements NameResolver {
  readonly pauses: number[] = [];
  changes = 0;
  outcome: ResolvedName | UnresolvedName = { kind: "failed", detail: "ESERVFAIL" };
  asked = 0;
  readonly watch: NameWatch;
  #next: (() => void) | undefined;

  constructor(outcome: ResolvedName | UnresolvedName, draw = 0, refresh?: number) {
    this.outcome = outcome;
    this.watch = new NameWatch("web.example", {
      resolver: this,
      refresh,
      random: () => draw,
      schedule: (milliseconds, run) => {
        this.pauses.push(milliseconds);
        this.#next = run;
        return () => (this.#next = undefined);
      },
      onChange: () => void this.changes++,
    });
  }

  resolve(): Promise<ResolvedName | UnresolvedName> {
    this.asked++;
    return Promise.resolve(this.outcome);
  }

  close(): void {}

  /** The time has come: asks again and waits for the answer to be taken in. */
  async again(outcome: ResolvedName | UnresolvedName = this.outcome): Promise<void> {
    this.outcome = outcome;
    this.#next?.();
    await settle();
  }
}

const GOOD: ResolvedName = { addresses: ["192.0.2.2", "192.0.2.1"], ttl: 30 };
const NEGATIVE: UnresolvedName = { kind: "negative", detail: "ENOTFOUND" };
const FAILED: UnresolvedName = { kind: "failed", detail: "ETIMEOUT" };

test("a name is asked at once and again when its TTL is over, within bounds", async () => {
  const script = new Script(GOOD);
  assert.equal(script.watch.state, "unknown");
  await settle();
  assert.deepEqual(script.watch.addresses, ["192.0.2.1", "192.0.2.2"]);
  await script.again({ ...GOOD, ttl: 0 });
  await script.again({ ...GOOD, ttl: 86_400 });
  assert.deepEqual(script.pauses, [30_000, 1000, 300_000]);
});

test("with an interval of its own a name is asked again by that, whatever its TTL is, but not all the time", async () => {
  const script = new Script(GOOD, 0, 5_000);
  await settle();
  await script.again({ ...GOOD, ttl: 86_400 });
  assert.deepEqual(script.pauses, [5_000, 5_000]);
  const hasty = new Script(GOOD, 0, 1);
  await settle();
  assert.deepEqual(hasty.pauses, [1_000]);
});

test("up to a tenth of the pause is left to chance", async () => {
  const script = new Script(GOOD, 0.5);
  await settle();
  assert.deepEqual(script.pauses, [28_500]);
});

test("what never changes is not asked for again", async () => {
  const script = new Script({ ...GOOD, ttl: Infinity });
  await settle();
  assert.deepEqual(script.pauses, []);
});

test("only changes are told, whatever the order of the addresses", async () => {
  const script = new Script(GOOD);
  await settle();
  await script.again({ addresses: ["192.0.2.1", "192.0.2.2"], ttl: 30 });
  assert.equal(script.changes, 1);
  await script.again({ addresses: ["192.0.2.1"], ttl: 30 });
  assert.equal(script.changes, 2);
});

test("while nobody can answer the last good addresses are kept, and it is tried ever more rarely", async () => {
  const script = new Script(GOOD);
  await settle();
  for (let tries = 0; tries < 10; tries++) await script.again(FAILED);
  assert.deepEqual(script.watch.addresses, ["192.0.2.1", "192.0.2.2"]);
  assert.deepEqual(script.watch.state, FAILED);
  assert.equal(script.changes, 2);
  assert.deepEqual(script.pauses.slice(1, 8), [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  await script.again(GOOD);
  assert.equal(script.changes, 3);
  assert.equal(script.pauses.at(-1), 30_000);
});

test("a name that is known is given up after five negative answers in a row", async () => {
  const script = new Script(GOOD);
  await settle();
  for (let tries = 0; tries < 4; tries++) await script.again(NEGATIVE);
  assert.equal(script.watch.addresses.length, 2);
  await script.again(FAILED);
  for (let tries = 0; tries < 4; tries++) await script.again(NEGATIVE);
  assert.equal(script.watch.addresses.length, 2);
  await script.again(NEGATIVE);
  assert.deepEqual(script.watch.addresses, []);
});

test("a closed watch asks no more and tells nothing", async () => {
  const script = new Script(GOOD);
  script.watch.close();
  await settle();
  assert.equal(script.changes, 0);
  await script.again();
  assert.equal(script.asked, 1);
});

/** Lets promises that are settled be taken in. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
