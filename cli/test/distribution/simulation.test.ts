/** Controllers and proxies for real, chance between them: cuts at any byte's turn, refusals, replicas with other histories. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toVersion } from "@sallyport/controller/distribute/versioned-slice";
import type { VersionedSnapshot } from "@sallyport/gateway/remote-receiver";
import { DEFAULT_CLUSTER } from "@sallyport/model/cluster";
import { EMPTY_SNAPSHOT, type Resource, type Snapshot, toSnapshot } from "@sallyport/model/snapshot";
import { below, pick, seeded } from "@sallyport/testkit/random";
import { runs } from "@sallyport/testkit/runs";
import { type Counts, GROUP, Replica, SimulatedProxy } from "./simulated-proxy.ts";

const SEEDS = runs(60);
const STEPS = 120;
/** Most moves until nothing moves any more. */
const MOST_MOVES = 2000;
const KEYS = ["a", "b", "__proto__", "constructor", "toString", "a|b", "\u2028"] as const;
/** A weight that no proxy can apply. */
const REFUSED = 5;
/** Two of these do not fit into one part. */
const PAD = "x".repeat(140_000);

interface Entry {
  readonly weight: number;
  /** Comes with a resource that fills half a part. */
  readonly isLarge: boolean;
  readonly hasCluster: boolean;
  /** The cluster's endpoints are missing, which is a bug of the controller. */
  readonly isDangling: boolean;
}

/** What a slice is made of, by key. */
type Content = ReadonlyMap<string, Entry>;

function toContentSnapshot(content: Content): Snapshot {
  return toSnapshot([...content].flatMap(([key, entry]) => toResources(key, entry)));
}

function toResources(key: string, { weight, isLarge, hasCluster, isDangling }: Entry): Resource[] {
  const resources: Resource[] = [];
  if (hasCluster || isDangling)
    resources.push({ kind: "cluster", key, discovery: { kind: "endpoints" }, protocol: "http1", ...DEFAULT_CLUSTER });
  if (!isDangling)
    resources.push({
      kind: "endpoints",
      key,
      endpoints: [{ address: "192.0.2.1", port: 80, weight, state: "ready" }],
    });
  if (isLarge) resources.push({ kind: "authorities", key, certificates: `${weight}${PAD}` });
  return resources;
}

function isSound(content: Content): boolean {
  return [...content.values()].every(({ weight, isDangling }) => weight !== REFUSED && !isDangling);
}

/** Why a proxy cannot apply it, by what is in it. */
function judge({ resources }: Snapshot): string[] {
  const bad = [...resources.values()].filter(
    (each) => each.kind === "endpoints" && each.endpoints[0]?.weight === REFUSED,
  );
  return bad.map(({ key }) => `the weight of ${key} is refused`);
}

/** All of a snapshot as one text; equal where the content is. */
function tell({ resources }: Snapshot): string {
  return [...resources]
    .map(([id, resource]) => `${id} ${toVersion(resource)}`)
    .toSorted()
    .join("\n");
}

/** One run. */
class Simulation {
  readonly #random: () => number;
  readonly #replicas: [Replica, Replica, Replica] = [new Replica(), new Replica(), new Replica()];
  readonly proxies: readonly [SimulatedProxy, SimulatedProxy];
  /** Every snapshot that was ever published, as text. */
  readonly #published = new Set([tell(EMPTY_SNAPSHOT)]);
  #content: Content = new Map();
  /** The very snapshot that was made of a content before. */
  readonly #made = new WeakMap<Content, Snapshot>();

  constructor(seed: number) {
    this.#random = seeded(seed);
    const onApplied = (held: VersionedSnapshot): void => this.#check(held);
    this.proxies = [
      new SimulatedProxy({ name: "web-0", judge, onApplied }),
      new SimulatedProxy({ name: "web-1", judge, onApplied }),
    ];
  }

  /** Something happens. */
  step(): void {
    const proxy = pick(this.#random, this.proxies);
    const [one] = this.#replicas;
    const replica = pick(this.#random, [one, ...this.#replicas]);
    const turn = below(this.#random, 100);
    if (turn < 12) this.#edit(replica);
    else if (turn < 16) this.#publish(replica, this.#content);
    else if (turn < 17) replica.publish(undefined);
    else if (turn < 19) this.#renew(replica);
    else if (turn < 20) proxy.restart();
    else if (turn < 24 || (proxy.isMidChange && turn < 50)) proxy.cut();
    else if (turn < 36) proxy.connect(replica);
    else pick(this.#random, MOVES)(proxy);
  }

  /** All replicas come to say the same, and everything that is under way arrives. */
  settle(content: Content): void {
    for (const replica of this.#replicas) this.#publish(replica, content);
    for (let moves = 0; moves < MOST_MOVES; moves++) {
      let isMoving = false;
      for (const proxy of this.proxies) {
        if (proxy.replica === undefined) isMoving = proxy.connect(pick(this.#random, this.#replicas)) || isMoving;
        for (const move of MOVES) isMoving = move(proxy) || isMoving;
      }
      if (!isMoving) return;
    }
    assert.fail("controllers and proxies do not come to rest");
  }

  get content(): Content {
    return this.#content;
  }

  /** A content that any proxy can take. */
  toSound(): Content {
    return new Map(
      KEYS.filter(() => this.#random() < 0.6).map((key) => [
        key,
        { ...this.#toEntry(), weight: below(this.#random, REFUSED), isDangling: false },
      ]),
    );
  }

  /** Proxies that are connected and current, and why others are not. */
  state(): { readonly connected: number; readonly current: number; readonly refusals: readonly string[] } {
    const states = this.#replicas.map(({ registry }) => registry.stateOf(GROUP));
    return {
      connected: states.reduce((sum, { connected }) => sum + connected, 0),
      current: states.reduce((sum, { current }) => sum + current, 0),
      refusals: [...new Set(states.flatMap(({ refusals }) => refusals))],
    };
  }

  /** Some keys get other content, and one replica at least is told. */
  #edit(replica: Replica): void {
    const content = new Map(this.#content);
    for (let edits = below(this.#random, 4); edits >= 0; edits--) {
      const key = pick(this.#random, KEYS);
      content.delete(key);
      if (this.#random() < 0.7) content.set(key, this.#toEntry());
    }
    this.#content = content;
    this.#publish(replica, content);
    if (this.#random() < 0.5) for (const other of this.#replicas) this.#publish(other, content);
  }

  #toEntry(): Entry {
    return {
      weight: below(this.#random, this.#random() < 0.2 ? REFUSED + 1 : REFUSED),
      isLarge: this.#random() < 0.15,
      hasCluster: this.#random() < 0.5,
      isDangling: this.#random() < 0.03,
    };
  }

  /** What is the same may be the same object, or one of another translation. */
  #publish(replica: Replica, content: Content): void {
    const made = this.#made.get(content);
    const snapshot = made !== undefined && this.#random() < 0.7 ? made : toContentSnapshot(content);
    this.#made.set(content, snapshot);
    if (made === undefined) this.#published.add(tell(snapshot));
    replica.publish(snapshot);
  }

  /** The replica's process ends, and another one knows nothing. */
  #renew(replica: Replica): void {
    for (const proxy of this.proxies) if (proxy.replica === replica) proxy.cut();
    replica.registry = new Replica().registry;
  }

  /** In force is what some controller wanted, as a whole, and it is known by its right versions. */
  #check({ snapshot, versions }: VersionedSnapshot): void {
    assert.ok(this.#published.has(tell(snapshot)), `nobody published ${tell(snapshot)}`);
    assert.deepEqual(judge(snapshot), []);
    assert.deepEqual(new Map([...snapshot.resources].map(([id, each]) => [id, toVersion(each)])), versions);
  }
}

/** What moves messages on; true where something moved. */
const MOVES = [
  (proxy: SimulatedProxy): boolean => proxy.written(),
  (proxy: SimulatedProxy): boolean => proxy.read(),
  (proxy: SimulatedProxy): boolean => proxy.finish(),
  (proxy: SimulatedProxy): boolean => proxy.answer(),
] as const;

/** Everybody holds this, and the controllers know it. */
function assertAllHold(simulation: Simulation, content: Content): void {
  const expected = tell(toContentSnapshot(content));
  for (const { held } of simulation.proxies) assert.equal(tell(held.snapshot), expected);
  assert.deepEqual(simulation.state(), { connected: 2, current: 2, refusals: [] });
}

/** The end of a run: whatever it came to, proxies follow again, keep the last good one, and come back to it. */
function assertEnding(simulation: Simulation, bad: Entry): void {
  const { content, proxies } = simulation;
  simulation.settle(content);
  if (isSound(content)) assertAllHold(simulation, content);
  else assert.equal(simulation.state().current, 0);
  const good = simulation.toSound();
  simulation.settle(good);
  assertAllHold(simulation, good);
  simulation.settle(new Map([...good, ["bad", bad]]));
  const kept = tell(toContentSnapshot(good));
  for (const { held } of proxies) assert.equal(tell(held.snapshot), kept);
  const { connected, current, refusals } = simulation.state();
  assert.deepEqual([connected, current, refusals.length], [2, 0, 1]);
  assert.match(refusals[0] ?? "", /bad/);
  // They hold it already: there is nothing to be sent.
  const applied = proxies.map(({ counts }) => counts.applied);
  simulation.settle(good);
  assertAllHold(simulation, good);
  const count = proxies.map((proxy) => proxy.counts.applied);
  assert.deepEqual(count, applied);
  for (const proxy of proxies) proxy.cut();
  assert.equal(simulation.state().connected, 0);
}

test("through cuts, refusals and other controllers, proxies come to hold their slice or keep the last one they could take", () => {
  const total: Partial<Record<keyof Counts, number>> = {};
  for (let seed = 1; seed <= SEEDS; seed++) {
    const simulation = new Simulation(seed);
    const isDangling = seed % 2 === 0;
    try {
      for (let step = 0; step < STEPS; step++) simulation.step();
      assertEnding(simulation, { weight: REFUSED, isLarge: false, hasCluster: true, isDangling });
    } catch (cause) {
      throw new Error(`seed ${seed}`, { cause });
    }
    for (const { counts } of simulation.proxies)
      for (const [name, count] of Object.entries(counts) as [keyof Counts, number][])
        total[name] = (total[name] ?? 0) + count;
  }
  for (const [name, count] of Object.entries(total))
    assert.ok(count >= SEEDS / 6, `${name} ${count} times: this proves little`);
});
