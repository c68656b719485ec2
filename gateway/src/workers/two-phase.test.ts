import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import type { Listener } from "@sallyport/model/listener";
import type { Problem } from "@sallyport/model/problem";
import { toSnapshot, type Snapshot } from "@sallyport/model/snapshot";
import { toListener, toTestSnapshot } from "../../test/workers/snapshots.ts";
import type { Change, EngineState, Preparation } from "../engine.ts";
import { Cells } from "../observe/cells.ts";
import { Log, openLevel } from "../observe/log.ts";
import { Series } from "../observe/series.ts";
import { Control } from "./control.ts";
import { MemberGone, type Member } from "./member.ts";
import { TwoPhase } from "./two-phase.ts";

const REFUSAL: Problem = { code: "invalid-value", severity: "error", message: "no" };

/** A worker that answers as the test says. */
class FakeMember implements Member {
  readonly calls: string[] = [];
  answer: () => Promise<Preparation> = () => Promise.resolve({ problems: [], ports: [] });
  /** The epoch in shared memory when it was told to settle. */
  epochAtSettle = -1;
  readonly #control: Control;

  constructor(control: Control) {
    this.#control = control;
  }

  prepare({ epoch, delta }: Change): Promise<Preparation> {
    this.calls.push(`prepare ${epoch} +${delta.upserted.length} -${delta.removed.length}`);
    return this.answer();
  }

  settle(outcome: "activate" | "discard"): Promise<void> {
    this.calls.push(outcome);
    this.epochAtSettle = this.#control.epoch;
    return Promise.resolve();
  }

  inspect(): Promise<EngineState> {
    return Promise.reject(new Error("not asked for"));
  }

  retire(): Promise<void> {
    return Promise.resolve();
  }

  moveTo(): Promise<void> {
    return Promise.resolve();
  }

  reopenLog(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function openBench(
  count: number,
  ports: "exclusive" | "shared" = "exclusive",
): {
  readonly members: FakeMember[];
  readonly control: Control;
  readonly twoPhase: TwoPhase;
  readonly series: Series;
  readonly errors: string[];
} {
  const control = new Control(count);
  const members = Array.from({ length: count }, () => new FakeMember(control));
  const series = new Series(new Cells({ stripes: count, listeners: 8, routes: 0, clusters: 0 }));
  const errors: string[] = [];
  const log = new Log({ format: "json", sink: (line) => errors.push(line), level: openLevel("error"), now: Date.now });
  const twoPhase = new TwoPhase({ control, series, log, members: () => members, ports });
  return { members, control, twoPhase, series, errors };
}

function toVersion(version: string): Snapshot {
  return toTestSnapshot({ version });
}

test("the epoch moves once, after every worker has prepared and before any is told", async () => {
  const { members, control, twoPhase } = openBench(2);
  const gate = Promise.withResolvers<void>();
  members[1]!.answer = async () => {
    await gate.promise;
    return { problems: [], ports: [["127.0.0.1:0", 4000]] };
  };
  const applied = twoPhase.apply(toVersion("1"));
  await new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
  assert.deepEqual(members[0]!.calls, ["prepare 1 +4 -0"]);
  assert.equal(control.epoch, 0);
  gate.resolve();
  assert.deepEqual(await applied, { applied: true, epoch: 1, problems: [] });
  for (const member of members) {
    assert.deepEqual(member.calls, ["prepare 1 +4 -0", "activate"]);
    assert.equal(member.epochAtSettle, 1);
  }
  assert.deepEqual([...twoPhase.ports], [["127.0.0.1:0", 4000]]);
});

test("one refusal and nobody changes: all discard, the last good stays, the number is not used again", async () => {
  const { members, control, twoPhase, series } = openBench(3);
  await twoPhase.apply(toVersion("1"));
  members[1]!.answer = () => Promise.resolve({ problems: [REFUSAL], ports: [] });
  const refused = await twoPhase.apply(toTestSnapshot({ version: "2", listeners: [] }));
  assert.deepEqual(refused, { applied: false, epoch: 1, problems: [REFUSAL] });
  assert.equal(control.epoch, 1);
  for (const member of members) assert.equal(member.calls.at(-1), "discard");
  assert.deepEqual(series.blocks().listeners, [["default/gw/http", 1]], "its series stay, too");
  members[1]!.answer = () => Promise.resolve({ problems: [], ports: [] });
  assert.equal((await twoPhase.apply(toVersion("3"))).epoch, 3);
  assert.equal(members[0]!.calls.at(-2), "prepare 3 +1 -0", "the difference is to the last good one");
  assert.deepEqual(twoPhase.counts.rejects, 1);
});

test("the same problem found by every worker is told once", async () => {
  const { members, twoPhase } = openBench(3);
  for (const member of members) member.answer = () => Promise.resolve({ problems: [{ ...REFUSAL }], ports: [] });
  assert.deepEqual((await twoPhase.apply(toVersion("1"))).problems, [REFUSAL]);
});

test("a worker that dies meanwhile does not hold up the others", async () => {
  const { members, twoPhase } = openBench(2);
  members[0]!.answer = () => Promise.reject(new MemberGone("crashed"));
  assert.equal((await twoPhase.apply(toVersion("1"))).applied, true);
});

test("a bug in the compiler refuses the configuration, is logged with its stack and reported", async () => {
  const { members, twoPhase, errors } = openBench(2);
  members[1]!.answer = () => Promise.reject(new TypeError("x is undefined"));
  const { applied, problems } = await twoPhase.apply(toVersion("1"));
  assert.equal(applied, false);
  assert.match(problems[0]?.message ?? "", /cannot be compiled: x is undefined/);
  assert.match(errors[0] ?? "", /TypeError: x is undefined\\n +at/);
});

test("a new worker gets everything that is in force, and counts as a member only then", async () => {
  const { members, control, twoPhase } = openBench(1);
  const early = new FakeMember(control);
  let joined = 0;
  await twoPhase.join(early, () => joined++);
  assert.deepEqual(early.calls, [], "there is nothing in force yet");
  await twoPhase.apply(toVersion("1"));
  await twoPhase.apply(toVersion("2"));
  const late = new FakeMember(control);
  late.answer = () => {
    assert.equal(joined, 1);
    return Promise.resolve({ problems: [], ports: [] });
  };
  const order: string[] = [];
  const join = twoPhase.join(late, () => {
    order.push("joined");
    members.push(late);
  });
  const next = twoPhase.apply(toVersion("3"));
  await Promise.all([join, next]);
  assert.deepEqual(late.calls, ["prepare 2 +4 -0", "activate", "prepare 3 +1 -0", "activate"]);
});

test("a new worker that cannot take the configuration does not join", async () => {
  const { control, twoPhase } = openBench(1);
  await twoPhase.apply(toVersion("1"));
  const member = new FakeMember(control);
  member.answer = () => Promise.resolve({ problems: [REFUSAL], ports: [] });
  await assert.rejects(
    twoPhase.join(member, () => assert.fail("joined")),
    /no/,
  );
  assert.equal((await twoPhase.apply(toVersion("2"))).applied, true, "and does not stop what comes after");
});

test("a configuration that is the same, object by object or only by content, is not prepared again", async () => {
  const { members, twoPhase } = openBench(1);
  const snapshot = toVersion("1");
  await twoPhase.apply(snapshot);
  await twoPhase.apply(snapshot);
  await twoPhase.apply(toVersion("1"));
  await twoPhase.apply(toSnapshot([...snapshot.resources.values()]));
  assert.deepEqual(members[0]!.calls, ["prepare 1 +4 -0", "activate"]);
});

test("a UDP port is tried as UDP before workers share it", async (t) => {
  const socket = createSocket("udp4");
  t.after(() => socket.close());
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  const listenerOf = (protocol: "tcp" | "udp"): Listener => {
    return { ...toListener(protocol, 80), protocol, bind: { address: "127.0.0.1", port } };
  };
  const { twoPhase } = openBench(2, "shared");
  const refused = await twoPhase.apply(toSnapshot([listenerOf("udp")]));
  assert.match(refused.problems[0]?.message ?? "", /^cannot listen on udp\/127\.0\.0\.1:\d+ .*the port is in use$/);
  assert.equal((await twoPhase.apply(toSnapshot([listenerOf("tcp")]))).applied, true);
  assert.deepEqual([...twoPhase.ports], [[`127.0.0.1:${port}`, port]]);
});
