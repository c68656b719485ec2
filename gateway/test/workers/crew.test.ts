/** Workers that die at moments nobody would choose: real threads, and a crew whose surroundings a test decides. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { Log } from "../../src/observe/log.ts";
import { Crew, type CrewOptions } from "../../src/workers/crew.ts";
import { attachMemory, createMemory } from "../../src/workers/memory.ts";
import { ThreadMember } from "../../src/workers/thread-member.ts";

const WORKERS = 2;
const LABELS = { routes: 0, clusters: 0 };
const PATIENCE = { within: 60_000, what: "the replacement to join" };
const WHY = "terminated by a test";

/** A thread that says that it is ready when a test lets it. */
class HeldMember extends ThreadMember {
  gate: Promise<void> = Promise.resolve();

  override get ready(): Promise<void> {
    return Promise.all([super.ready, this.gate]).then(() => undefined);
  }
}

/** `gate`: when worker 1 is ready at the earliest. */
function openCrew(t: TestContext, changes: Partial<CrewOptions>, gate: Promise<void> = Promise.resolve()): Crew {
  const memory = createMemory(WORKERS, LABELS);
  const { control } = attachMemory(memory, WORKERS);
  const crew = new Crew({
    count: WORKERS,
    interval: 1_000,
    misses: Number.POSITIVE_INFINITY,
    log: new Log({ format: "text", sink: () => undefined, level: control.logLevel, now: Date.now }),
    start: (worker, events) => {
      const member = new HeldMember({ worker, memory, labels: LABELS, logFormat: "text", beat: 1_000 }, events);
      if (worker === 1) member.gate = gate;
      return member;
    },
    beats: (worker) => control.beats(worker),
    clear: () => true,
    join: (_member, onJoined) => Promise.resolve(onJoined()),
    ...changes,
  });
  t.after(() => crew.close());
  return crew;
}

test("one that dies while others still start does not serve before its replacement has joined", async (t) => {
  const joining = Promise.withResolvers<void>();
  const join: CrewOptions["join"] = async (_member, onJoined) => {
    await joining.promise;
    onJoined();
  };
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const crew = openCrew(t, { join }, gate);
  const started = crew.start();
  const first = crew.thread(0);
  await first?.ready;
  first?.terminate(WHY);
  await eventually(() => crew.states[0] === "joining", PATIENCE);
  open();
  await started;
  assert.deepEqual(crew.states, ["joining", "serving"]);
  assert.deepEqual(crew.members, [crew.thread(1)]);
  joining.resolve();
  await eventually(() => crew.members.length === WORKERS, PATIENCE);
  assert.equal(crew.died, 1);
});

test("a seat stays empty until all that a dead worker held is cleared", async (t) => {
  const refusals = [false, false];
  const cleared: number[] = [];
  const seats: (ThreadMember | undefined)[] = [];
  const clear = (worker: number): boolean => {
    cleared.push(worker);
    seats.push(crew.thread(worker));
    return refusals.pop() ?? true;
  };
  const crew = openCrew(t, { clear });
  await crew.start();
  crew.thread(0)?.terminate(WHY);
  await eventually(() => crew.died === 1 && crew.members.length === WORKERS, PATIENCE);
  assert.deepEqual(cleared, [0, 0, 0]);
  assert.deepEqual(seats, [undefined, undefined, undefined]);
});
