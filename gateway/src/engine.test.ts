import assert from "node:assert/strict";
import { test } from "node:test";
import { fail, ok } from "@sallyport/model/result";
import { resourcesOf, type Snapshot } from "@sallyport/model/snapshot";
import { toBindKey } from "@sallyport/model/listener";
import { toListener, toTestSnapshot } from "../test/workers/snapshots.ts";
import type { CompiledRuntime } from "./compile/contract.ts";
import { Engine, type Change, type CompileInput, type DataPlane, type OpenPort } from "./engine.ts";
import type { CompiledBind, Runtime } from "./router/contract.ts";
import { Control } from "./workers/control.ts";

/** A port that does what the test says, instead of sockets. */
class FakePort implements OpenPort {
  readonly bind: CompiledBind;
  readonly port: number;
  readonly runtime: () => Runtime;
  connections = 0;
  closed = false;
  readonly gone = Promise.withResolvers<void>();
  retired = false;

  constructor(bind: CompiledBind, port: number, runtime: () => Runtime) {
    this.bind = bind;
    this.port = port;
    this.runtime = runtime;
  }

  retire(): Promise<void> {
    this.retired = true;
    return this.gone.promise;
  }

  close(): Promise<void> {
    this.closed = true;
    this.gone.resolve();
    return Promise.resolve();
  }
}

class FakePlane implements DataPlane {
  readonly ports: FakePort[] = [];
  readonly activated: number[] = [];
  disposals = 0;
  refuse: string | undefined;
  taken = 0;

  *compile({ epoch, snapshot }: CompileInput): ReturnType<DataPlane["compile"]> {
    yield;
    if (this.refuse !== undefined) return fail([{ code: "invalid-value", severity: "error", message: this.refuse }]);
    return ok(this.#toRuntime(epoch, snapshot));
  }

  openPort(bind: CompiledBind, port: number, runtime: () => Runtime): Promise<OpenPort> {
    if (port === this.taken) return Promise.reject(Object.assign(new Error("taken"), { code: "EADDRINUSE" }));
    const open = new FakePort(bind, port, runtime);
    this.ports.push(open);
    return Promise.resolve(open);
  }

  learnBlocks(): void {}

  disposeUnused(): void {
    this.disposals++;
  }

  inspectClusters(): [] {
    return [];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #toRuntime(epoch: number, snapshot: Snapshot): CompiledRuntime {
    const binds = new Map(
      resourcesOf(snapshot, "listener").map((listener) => {
        const { address, port } = listener.bind;
        const key = toBindKey(listener);
        return [key, { key, address, port, fallback: listener } as unknown as CompiledBind];
      }),
    );
    const activated = (): number => this.activated.push(epoch);
    return {
      epoch,
      snapshot,
      binds,
      cluster: () => undefined,
      activate: () => void activated(),
      disposeUnused: () => {},
    };
  }
}

interface Bench {
  readonly engine: Engine;
  readonly plane: FakePlane;
  readonly control: Control;
}

function openBench(): Bench {
  const plane = new FakePlane();
  const control = new Control(1);
  return { plane, control, engine: new Engine(plane, control) };
}

/** The change from nothing or the configuration before to these ports. */
function toChange(epoch: number, ports: readonly number[], removed: readonly number[] = []): Change {
  const listeners = ports.map((port) => toListener(String(port), port));
  const upserted = [...toTestSnapshot({ listeners }).resources.values()];
  return {
    epoch,
    ports: [],
    delta: { upserted, removed: removed.map((port) => `listener|default/gw/${port}` as const) },
  };
}

async function activate(bench: Bench, change: Change): Promise<void> {
  const { problems } = await bench.engine.prepare(change);
  assert.deepEqual(problems, []);
  bench.control.epoch = change.epoch;
  bench.engine.settle("activate");
}

test("a prepared configuration is in force from the moment the epoch moves, not before", async () => {
  const { engine, control, plane } = openBench();
  const { ports } = await engine.prepare(toChange(1, [8001]));
  assert.deepEqual(ports, [["127.0.0.1:8001", 8001]]);
  assert.equal(engine.runtime().epoch, 0);
  assert.deepEqual(plane.activated, []);
  control.epoch = 1;
  assert.equal(engine.runtime().epoch, 1);
  assert.deepEqual(plane.activated, [1]);
  engine.settle("activate");
  assert.equal(engine.runtime().epoch, 1);
  assert.deepEqual(plane.activated, [1]);
});

test("ports that stay are not opened again; those removed let their connections end", async () => {
  const bench = openBench();
  await activate(bench, toChange(1, [8001, 8002]));
  await activate(bench, toChange(2, [8003], [8001]));
  const { plane, engine } = bench;
  assert.deepEqual(
    plane.ports.map(({ port, retired }) => [port, retired]),
    [
      [8001, true],
      [8002, false],
      [8003, false],
    ],
  );
  const states = (): unknown[] => engine.inspect().listeners.map(({ port, draining }) => [port, draining]);
  assert.deepEqual(states(), [
    [8002, false],
    [8003, false],
    [8001, true],
  ]);
  plane.ports[0]?.gone.resolve();
  await plane.ports[0]?.gone.promise;
  await Promise.resolve();
  assert.deepEqual(states(), [
    [8002, false],
    [8003, false],
  ]);
});

test("a new port is served with what opened it until the switch, a removed one with the last that knew it", async () => {
  const bench = openBench();
  await activate(bench, toChange(1, [8001]));
  await bench.engine.prepare(toChange(2, [8002], [8001]));
  const [old, fresh] = bench.plane.ports;
  assert.equal(old?.runtime().epoch, 1);
  assert.equal(fresh?.runtime().epoch, 2);
  bench.control.epoch = 2;
  assert.equal(old?.runtime().epoch, 1);
  assert.equal(fresh?.runtime().epoch, 2);
  bench.engine.settle("activate");
  await activate(bench, toChange(3, [8002]));
  assert.equal(old?.runtime().epoch, 1);
  assert.equal(fresh?.runtime().epoch, 3);
});

test("a port that cannot be bound is a problem, closes what was opened beside it and changes nothing", async () => {
  const bench = openBench();
  await activate(bench, toChange(1, [8001]));
  bench.plane.taken = 8003;
  const { problems, ports } = await bench.engine.prepare(toChange(2, [8002, 8003], [8001]));
  assert.deepEqual(
    problems.map(({ code }) => code),
    ["port-unavailable"],
  );
  assert.deepEqual(ports, [["127.0.0.1:8001", 8001]]);
  assert.deepEqual(
    bench.plane.ports.map(({ port, closed }) => [port, closed]),
    [
      [8001, false],
      [8002, true],
    ],
  );
  bench.engine.settle("discard");
  assert.equal(bench.engine.runtime().epoch, 1);
  assert.equal(bench.plane.ports[0]?.retired, false);
  bench.plane.taken = 0;
  await activate(bench, toChange(3, [8003]));
  assert.equal(bench.engine.runtime().epoch, 3);
});

test("a snapshot the compiler refuses opens nothing", async () => {
  const bench = openBench();
  bench.plane.refuse = "no";
  const { problems } = await bench.engine.prepare(toChange(1, [8001]));
  assert.deepEqual(
    problems.map(({ message }) => message),
    ["no"],
  );
  assert.deepEqual(bench.plane.ports, []);
});

test("a change another worker refused is dropped with its ports", async () => {
  const bench = openBench();
  await activate(bench, toChange(1, [8001]));
  await bench.engine.prepare(toChange(2, [8002]));
  bench.engine.settle("discard");
  assert.equal(bench.plane.ports[1]?.closed, true);
  bench.control.epoch = 2;
  assert.equal(bench.engine.runtime().epoch, 1, "what was dropped never comes into force");
});

test("a new worker whose epoch is in force already serves it as soon as it is prepared", async () => {
  const { engine, control } = openBench();
  control.epoch = 5;
  assert.equal(engine.runtime().epoch, 0);
  await engine.prepare(toChange(5, [8001]));
  assert.equal(engine.runtime().epoch, 5);
  engine.settle("activate");
});

test("retiring waits for the last connection of every port, those removed before included", async () => {
  const bench = openBench();
  await activate(bench, toChange(1, [8001, 8002]));
  await activate(bench, toChange(2, [8002], [8001]));
  let over = false;
  const retired = bench.engine.retire().then(() => {
    over = true;
    return undefined;
  });
  const [one, other] = bench.plane.ports;
  assert.equal(other?.retired, true);
  other?.gone.resolve();
  await other?.gone.promise;
  assert.equal(over, false);
  one?.gone.resolve();
  await retired;
});
