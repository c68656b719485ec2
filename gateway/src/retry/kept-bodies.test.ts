import assert from "node:assert/strict";
import { test } from "node:test";
import { below, seeded } from "@sallyport/testkit/random";
import { type BodyRoom, KeptBodies, type KeptBody, type Share } from "./kept-bodies.ts";

test("a body has its limit: 16 KiB where it may be sent once more, what a route can have where it is to be whole", () => {
  const { retry, whole } = new KeptBodies();
  assert.deepEqual([retry.fits(16_384), retry.fits(16_385)], [true, false]);
  const most = Math.floor(whole.size / 3);
  assert.deepEqual([whole.fits(most), whole.fits(most + 1)], [true, false]);
  assert.ok(most > 10 * 1024 * 1024, "bodies of 10 MiB can be kept");
  const body = whole.open("HTTPRoute/a/a");
  assert.deepEqual([body.take(most), body.take(2)], [true, false]);
});

test("a room that is full takes nothing from the other", () => {
  const kept = new KeptBodies({ retry: 300, whole: 300 });
  fill(kept.whole, "HTTPRoute/a/a");
  assert.ok(kept.retry.open("HTTPRoute/a/a").take(100));
  assert.equal(kept.bytes, kept.whole.held + 100);
});

test("a route has at most half of what it leaves free, a namespace as much as it leaves free", () => {
  const { whole } = new KeptBodies({ whole: 1200 });
  assert.equal(fill(whole, "HTTPRoute/a/1"), 400);
  for (let i = 2; i < 100; i++) fill(whole, `HTTPRoute/a/${i}`);
  assert.equal(whole.held, 600);
  assert.equal(fill(whole, "HTTPRoute/b/1"), 200, "a third of what is free is there for who comes next");
  fill(whole, "HTTPRoute/b/2");
  assert.equal(whole.held, 900);
  assert.equal(fill(whole, "GRPCRoute/c/1"), 100);
});

test("who held much while he was alone gets no more until he has given back", () => {
  const { whole } = new KeptBodies({ whole: 1200 });
  const first = whole.open("HTTPRoute/a/1");
  assert.ok(first.take(400));
  fill(whole, "HTTPRoute/b/1");
  const more = whole.open("HTTPRoute/a/1");
  assert.ok(!more.take(1));
  first.close();
  assert.ok(more.take(100));
});

test("what is given back once is not given back twice, and nothing is taken after that", () => {
  const { retry } = new KeptBodies();
  const body = retry.open("HTTPRoute/a/a");
  body.take(7);
  assert.deepEqual([body.close(), body.close(), body.take(1), retry.held], [7, 0, false, 0]);
});

test("refusals are said at once, then every ten seconds, with how many there were", () => {
  const { retry } = new KeptBodies();
  assert.deepEqual(
    [0, 1, 9999, 10_000, 10_001, 30_000].map((now) => retry.refuse(now)),
    [1, 0, 0, 3, 0, 2],
  );
});

const SIZE = 10_000;

/** Bodies of many tenants come, grow and go. */
class Crowd {
  readonly room = new KeptBodies({ whole: SIZE }).whole;
  readonly #random: () => number;
  readonly #bodies: { readonly body: KeptBody; bytes: number }[] = [];
  readonly #tenants: number;
  granted = 0;
  refused = 0;

  constructor(seed: number) {
    this.#random = seeded(seed);
    this.#tenants = 1 + below(this.#random, 8);
  }

  step(): void {
    const { room } = this;
    const drawn = this.#random();
    if (this.#bodies.length === 0 || drawn < 0.2) {
      const body = room.open(`HTTPRoute/${below(this.#random, this.#tenants)}/${below(this.#random, 400)}`);
      this.#bodies.push({ body, bytes: 0 });
    } else if (drawn < 0.35) this.#end();
    else this.#grow();
    this.#judge();
  }

  empty(): void {
    while (this.#bodies.length > 0) this.#end();
    this.#judge();
  }

  #end(): void {
    const [gone] = this.#bodies.splice(below(this.#random, this.#bodies.length), 1);
    assert.equal(gone?.body.close(), gone?.bytes);
  }

  #grow(): void {
    const { room } = this;
    const one = this.#bodies[below(this.#random, this.#bodies.length)];
    assert.ok(one !== undefined);
    const more = below(this.#random, this.#random() < 0.1 ? SIZE : 300);
    const before = { held: room.held, route: one.body.route.held, namespace: namespaceOf(one.body.route).held };
    const free = SIZE - before.held - more;
    const fair = before.route + more <= free / 2 && before.namespace + more <= free;
    assert.equal(one.body.take(more), fair);
    if (fair) {
      one.bytes += more;
      this.granted++;
    } else this.refused++;
    // whoever has nothing yet gets a third of what is free, however much others hold
    const newcomer = room.open("HTTPRoute/newcomer/1");
    assert.ok(newcomer.take(Math.floor((SIZE - room.held) / 3)));
    newcomer.close();
  }

  #judge(): void {
    const { room } = this;
    const routes = [...room.shares.routes];
    const namespaces = [...room.shares.namespaces];
    assert.equal(room.held, sum(this.#bodies.map(({ bytes }) => bytes)));
    assert.equal(room.held, sum(routes.map(({ held }) => held)));
    assert.equal(room.held, sum(namespaces.map(({ held }) => held)));
    assert.equal(sum(routes.map(({ members }) => members)), this.#bodies.length);
    assert.equal(sum(namespaces.map(({ members }) => members)), routes.length);
    for (const route of routes) assert.ok(namespaces.includes(namespaceOf(route)), "a route has left its namespace");
    // a namespace that fills itself leaves half of what it found, so that there is always something left
    assert.ok(SIZE - room.held >= Math.floor(SIZE / 2 ** this.#tenants), `only ${SIZE - room.held} are left`);
    assert.ok(routes.length <= 256 + this.#bodies.length, "routes without bodies are remembered for ever");
  }
}

test("whatever tenants do, what is counted is what is held, no one has too much, and who comes next has room", () => {
  let [granted, refused] = [0, 0];
  for (let seed = 1; seed <= 60; seed++) {
    const crowd = new Crowd(seed);
    try {
      for (let step = 0; step < 400; step++) crowd.step();
      crowd.empty();
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    assert.equal(crowd.room.held, 0);
    granted += crowd.granted;
    refused += crowd.refused;
  }
  assert.ok(granted > 5000 && refused > 2000, `${granted} were granted, ${refused} refused`);
});

/** Takes byte by byte what the route can have. */
function fill(room: BodyRoom, route: string): number {
  const body = room.open(route);
  let bytes = 0;
  while (body.take(1)) bytes++;
  return bytes;
}

function namespaceOf({ namespace }: Share): Share {
  assert.ok(namespace !== undefined);
  return namespace;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
