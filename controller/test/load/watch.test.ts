/** A watched directory follows its files: every way people, editors and kubelets change them. */
import assert from "node:assert/strict";
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { test } from "node:test";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import type { TemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { WorldWatch, defaultWatchOptions } from "../../src/world/watch.ts";
import type { WatchOptions, WorldChange } from "../../src/world/watch.ts";
import { configMapText, toLines, valuesOf } from "./objects.ts";

/** A watch whose changes are waited for one by one. */
class Observer implements AsyncDisposable {
  readonly changes: WorldChange[] = [];
  readonly watch: WorldWatch;
  #waiting: (() => void) | undefined;
  #seen = 0;

  constructor(path: string, options: Partial<WatchOptions> = {}) {
    // Rescans would hide that an event was missed.
    const quiet = { ...defaultWatchOptions, rescanMillis: 1e9, ...options };
    this.watch = new WorldWatch(
      path,
      (change) => {
        this.changes.push(change);
        this.#waiting?.();
      },
      quiet,
    );
  }

  /** The next change nobody has asked for yet. */
  async next(): Promise<WorldChange> {
    while (this.changes.length <= this.#seen)
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    const change = this.changes[this.#seen++];
    assert.ok(change !== undefined);
    return change;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watch.close();
  }
}

async function observe(directory: TemporaryDirectory, options?: Partial<WatchOptions>): Promise<Observer> {
  const observer = new Observer(directory.path, options);
  await observer.watch.start();
  return observer;
}

test("a write in place is seen within 100 ms", async () => {
  using directory = openTemporaryDirectory({ "a.yaml": configMapText("a", "1") });
  await using observer = await observe(directory);
  const latencies: number[] = [];
  for (let round = 2; round < 12; round++) {
    const start = performance.now();
    writeFileSync(directory.file("a.yaml"), configMapText("a", String(round)));
    assert.deepEqual(valuesOf((await observer.next()).world), [`a=${round}`]);
    latencies.push(performance.now() - start);
  }
  // The fastest of ten: what else the machine does makes some late, and a watcher that only looks now and then all of them.
  assert.ok(Math.min(...latencies) < 100, `${latencies.map(Math.round).join(" ")} ms`);
});

test("files that appear, are replaced by a rename, and go are followed", async () => {
  using directory = openTemporaryDirectory({ "a.yaml": configMapText("a", "1") });
  await using observer = await observe(directory);
  directory.write("b.yaml", configMapText("b", "1"));
  const added = await observer.next();
  assert.deepEqual([valuesOf(added.world), added.changedFiles], [["a=1", "b=1"], [directory.file("b.yaml")]]);
  directory.write("b.yaml", configMapText("b", "2"));
  assert.deepEqual(valuesOf((await observer.next()).world), ["a=1", "b=2"]);
  rmSync(directory.file("a.yaml"));
  assert.deepEqual(valuesOf((await observer.next()).world), ["b=2"]);
  renameSync(directory.file("b.yaml"), directory.file("c.yaml"));
  const renamed = await observer.next();
  assert.deepEqual(renamed.changedFiles, [directory.file("b.yaml"), directory.file("c.yaml")]);
});

test("a bad edit gives problems and no world, the good one after it a world", async () => {
  using directory = openTemporaryDirectory({ "a.yaml": configMapText("a", "1") });
  await using observer = await observe(directory);
  directory.write("a.yaml", configMapText("a", "2").replace("\ndata", "\ndtaa"));
  const bad = await observer.next();
  assert.equal(bad.world, undefined);
  assert.deepEqual(toLines(bad.problems, directory.path), [
    'a.yaml:5:1: error: unknown field "dtaa" (ConfigMap default/a, dtaa); did you mean "data"?',
  ]);
  directory.write("a.yaml", configMapText("a", "3"));
  const good = await observer.next();
  assert.deepEqual([valuesOf(good.world), good.problems], [["a=3"], []]);
});

test("a start with a bad file has no world, and follows its repair", async () => {
  using directory = openTemporaryDirectory({ "a.yaml": "a: [\n" });
  await using observer = new Observer(directory.path);
  const first = await observer.watch.start();
  assert.equal(first.world, undefined);
  assert.equal(first.problems[0]?.code, "yaml-syntax");
  directory.write("a.yaml", configMapText("a", "1"));
  assert.deepEqual(valuesOf((await observer.next()).world), ["a=1"]);
});

test("a burst of changes comes as one", async () => {
  using directory = openTemporaryDirectory({ "a.yaml": configMapText("a", "1") });
  await using observer = await observe(directory, { quietMillis: 50, longestBurstMillis: 10_000 });
  for (let index = 0; index < 50; index++)
    writeFileSync(directory.file(`f${index % 10}.yaml`), configMapText(`f${index % 10}`, String(index)));
  const { world, changedFiles } = await observer.next();
  assert.equal(valuesOf(world)?.length, 11);
  assert.ok(valuesOf(world)?.includes("f9=49"));
  assert.equal(changedFiles.length, 10);
  directory.write("end.yaml", configMapText("end", "1"));
  assert.deepEqual((await observer.next()).changedFiles, [directory.file("end.yaml")]);
});

test("a file being written in pieces counts once it is whole", async () => {
  using directory = openTemporaryDirectory({ "a.yaml": configMapText("a", "1") });
  await using patient = await observe(directory, { unsureMillis: 60_000 });
  // It believes what it reads at once, and so tells when there was something to read.
  await using eager = await observe(directory, { unsureMillis: 0 });
  const file = openSync(directory.file("a.yaml"), "w");
  const text = configMapText("a", "2");
  assert.deepEqual(valuesOf((await eager.next()).world), []);
  writeSync(file, text.slice(0, 20));
  assert.equal((await eager.next()).world, undefined);
  writeSync(file, text.slice(20));
  closeSync(file);
  assert.deepEqual(valuesOf((await patient.next()).world), ["a=2"]);
  assert.equal(patient.changes.length, 1);
});

test("a file that stays empty or broken counts after a moment", async () => {
  using directory = openTemporaryDirectory({ "a.yaml": configMapText("a", "1"), "b.yaml": configMapText("b", "1") });
  await using observer = await observe(directory);
  writeFileSync(directory.file("b.yaml"), "");
  assert.deepEqual(valuesOf((await observer.next()).world), ["a=1"]);
  writeFileSync(directory.file("b.yaml"), "a: [");
  assert.equal((await observer.next()).problems[0]?.code, "yaml-syntax");
});

test("what does not change what a file says is no change", async () => {
  using directory = openTemporaryDirectory({ "a.yaml": configMapText("a", "1") });
  await using observer = await observe(directory);
  utimesSync(directory.file("a.yaml"), 1, 1);
  writeFileSync(directory.file("a.yaml"), configMapText("a", "1"));
  directory.write(".a.yaml.swp", "a: [");
  directory.write("4913", "x");
  directory.write("a.yaml~", "a: [");
  directory.write("b.yaml", configMapText("b", "1"));
  assert.deepEqual((await observer.next()).changedFiles, [directory.file("b.yaml")]);
});

test("a mounted ConfigMap is followed through the swap of its link", async () => {
  using directory = openTemporaryDirectory({
    "..v1/a.yaml": configMapText("a", "1"),
    "..v1/b.yaml": configMapText("b", "1"),
  });
  symlinkSync("..v1", directory.file("..data"));
  for (const name of ["a.yaml", "b.yaml"]) symlinkSync(`..data/${name}`, directory.file(name));
  await using observer = await observe(directory);
  for (const version of [2, 3, 4]) {
    directory.write(`..v${version}/a.yaml`, configMapText("a", String(version)));
    directory.write(`..v${version}/b.yaml`, configMapText("b", String(version)));
    symlinkSync(`..v${version}`, directory.file("..data_tmp"));
    renameSync(directory.file("..data_tmp"), directory.file("..data"));
    rmSync(directory.file(`..v${version - 1}`), { recursive: true });
    const { world, changedFiles } = await observer.next();
    assert.deepEqual(valuesOf(world), [`a=${version}`, `b=${version}`], "never one of the old and one of the new");
    assert.equal(changedFiles.length, 2);
  }
});

test("directories that appear, move and go are followed with all they hold", async () => {
  using directory = openTemporaryDirectory({ "a.yaml": configMapText("a", "1") });
  await using observer = await observe(directory);
  mkdirSync(directory.file("one/two"), { recursive: true });
  writeFileSync(directory.file("one/two/b.yaml"), configMapText("b", "1"));
  assert.deepEqual(valuesOf((await observer.next()).world), ["a=1", "b=1"]);
  writeFileSync(directory.file("one/two/b.yaml"), configMapText("b", "2"));
  assert.deepEqual(valuesOf((await observer.next()).world), ["a=1", "b=2"]);
  renameSync(directory.file("one"), directory.file("three"));
  const moved = await observer.next();
  assert.deepEqual(moved.changedFiles, [directory.file("one/two/b.yaml"), directory.file("three/two/b.yaml")]);
  writeFileSync(directory.file("three/two/b.yaml"), configMapText("b", "3"));
  assert.deepEqual(valuesOf((await observer.next()).world), ["a=1", "b=3"]);
  rmSync(directory.file("three"), { recursive: true });
  assert.deepEqual(valuesOf((await observer.next()).world), ["a=1"]);
});

test("the directory itself may be a link that is turned to another one", async () => {
  using directory = openTemporaryDirectory({
    "release-1/a.yaml": configMapText("a", "1"),
    "release-2/a.yaml": configMapText("a", "2"),
  });
  symlinkSync("release-1", directory.file("current"));
  await using observer = new Observer(directory.file("current"));
  assert.deepEqual(valuesOf((await observer.watch.start()).world), ["a=1"]);
  symlinkSync("release-2", directory.file("next"));
  renameSync(directory.file("next"), directory.file("current"));
  assert.deepEqual(valuesOf((await observer.next()).world), ["a=2"]);
  writeFileSync(directory.file("release-2/a.yaml"), configMapText("a", "3"));
  assert.deepEqual(valuesOf((await observer.next()).world), ["a=3"]);
});

test("a directory that vanishes is an error, not an empty world, and is picked up again", async () => {
  using directory = openTemporaryDirectory({ "config/a.yaml": configMapText("a", "1") });
  await using observer = new Observer(directory.file("config"));
  await observer.watch.start();
  renameSync(directory.file("config"), directory.file("away"));
  const gone = await observer.next();
  assert.deepEqual([gone.world, gone.problems[0]?.code], [undefined, "unreadable-file"]);
  renameSync(directory.file("away"), directory.file("config"));
  assert.deepEqual(valuesOf((await observer.next()).world), ["a=1"]);
});

test("a single file is followed through edits and replacements", async () => {
  using directory = openTemporaryDirectory({ "a.yaml": configMapText("a", "1"), "b.yaml": configMapText("b", "1") });
  await using observer = new Observer(directory.file("a.yaml"));
  await observer.watch.start();
  directory.write("b.yaml", configMapText("b", "2"));
  directory.write("a.yaml", configMapText("a", "2"));
  assert.deepEqual(valuesOf((await observer.next()).world), ["a=2"]);
  writeFileSync(directory.file("a.yaml"), configMapText("a", "3"));
  assert.deepEqual(valuesOf((await observer.next()).world), ["a=3"]);
});

test("a change the system did not report is found by looking again", async () => {
  using outside = openTemporaryDirectory({ "a.yaml": configMapText("a", "1") });
  using directory = openTemporaryDirectory();
  // A link into a directory that is not watched.
  symlinkSync(outside.file("a.yaml"), directory.file("a.yaml"));
  await using observer = await observe(directory, { rescanMillis: 20 });
  writeFileSync(outside.file("a.yaml"), configMapText("a", "2"));
  assert.deepEqual(valuesOf((await observer.next()).world), ["a=2"]);
});

test("objects of documents that did not change stay the same objects", async () => {
  const rest = Array.from({ length: 20 }, (_, index) => configMapText(`m${index}`, "1")).join("---\n");
  using directory = openTemporaryDirectory({ "a.yaml": `${configMapText("a", "1")}---\n${rest}` });
  await using observer = new Observer(directory.path);
  const { world: before } = await observer.watch.start();
  directory.write("a.yaml", `# a line more\n${configMapText("a", "2")}---\n${rest}`);
  const { world: after } = await observer.next();
  assert.equal(after?.get("ConfigMap", "default", "m7")?.object, before?.get("ConfigMap", "default", "m7")?.object);
  assert.equal(after?.get("ConfigMap", "default", "m7")?.source?.line, 58);
  assert.notEqual(after?.get("ConfigMap", "default", "a")?.object, before?.get("ConfigMap", "default", "a")?.object);
});

test("nothing comes after closing", async () => {
  using directory = openTemporaryDirectory({ "a.yaml": configMapText("a", "1") });
  const observer = await observe(directory);
  await using witness = await observe(directory);
  appendFileSync(directory.file("a.yaml"), "  more: x\n");
  await observer.watch.close();
  const count = observer.changes.length;
  await witness.next();
  assert.equal(observer.changes.length, count);
});
