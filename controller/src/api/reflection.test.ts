import assert from "node:assert/strict";
import { test } from "node:test";
import { ModelStore } from "../../test/model-store.ts";
import { seeded } from "@sallyport/testkit/random";
import { runs } from "@sallyport/testkit/runs";
import { ApiFailure } from "./contract.ts";
import { Reflection } from "./reflection.ts";
import type { ListHandlers, RawObject } from "./reflection.ts";

/** What somebody knows who only listened to the handlers. */
class Listener implements ListHandlers {
  readonly objects = new Map<string, RawObject>();
  readonly told: string[] = [];
  lists = 0;

  onObject(object: RawObject, { namespace, name }: { namespace: string; name: string }): void {
    this.objects.set(`${namespace}/${name}`, object);
    this.told.push(`+${namespace}/${name}`);
  }

  onDelete({ namespace, name }: { namespace: string; name: string }): void {
    assert.ok(this.objects.delete(`${namespace}/${name}`), "what was never told cannot be gone");
    this.told.push(`-${namespace}/${name}`);
  }

  onListed(): void {
    this.lists++;
  }

  get versions(): string[] {
    return [...this.objects.values()].map((object) => `${versionOf(object)} ${String(object["body"])}`).toSorted();
  }
}

function versionOf(object: Readonly<Record<string, unknown>>): string {
  const { namespace, name, resourceVersion } = object["metadata"] as Record<string, string>;
  return `${namespace}/${name}@${resourceVersion}`;
}

/** Does what the reflection says against a store that is changed, compacted and cut off between and within the steps. */
class Rig {
  readonly store = new ModelStore();
  readonly listener = new Listener();
  readonly reflection: Reflection;
  readonly random: () => number;
  isServed = true;
  waited = 0;
  /** Steps done, by kind. */
  readonly done: string[] = [];

  constructor(seed: number, paths: readonly [string, ...string[]] = ["/things"]) {
    this.random = seeded(seed);
    this.reflection = new Reflection({ paths, pageSize: 3, random: this.random }, this.listener);
  }

  /** One step; `trouble` is the chance of everything that can go wrong. */
  step(trouble: number): void {
    const step = this.reflection.next();
    this.done.push(step.do);
    if (step.do === "wait") this.waited += step.millis;
    else if (step.do === "list") this.#list(step.query, trouble);
    else this.#watch(step.query, trouble);
  }

  mutate(): void {
    const name = `o${Math.floor(this.random() * 12)}`;
    const namespace = this.random() < 0.5 ? "a" : "b";
    if (this.random() < 0.4) this.store.delete(namespace, name);
    else this.store.put(namespace, name, { body: this.random(), metadata: { managedFields: [{ much: "text" }] } });
    if (this.random() < 0.05) this.store.compact();
  }

  #list(query: Readonly<Record<string, string>>, trouble: number): void {
    try {
      this.#mayFail(trouble);
      const { limit, continue: token } = query;
      const page = this.store.list({
        ...(limit === undefined ? {} : { limit: Number(limit) }),
        ...(token === undefined ? {} : { continue: token }),
      });
      this.reflection.takePage(page);
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      this.reflection.failList(error);
    }
  }

  #watch(query: Readonly<Record<string, string>>, trouble: number): void {
    let version = Number(query["resourceVersion"]);
    try {
      this.#mayFail(trouble);
      for (let events = 0; events < 20; events++) {
        for (const change of this.store.since(version)) {
          this.reflection.takeEvent(change.event);
          version = change.version;
          this.#mayFail(trouble / 4);
        }
        if (this.random() < 0.1) {
          const bookmark = { metadata: { resourceVersion: String(this.store.version) } };
          version = this.store.version;
          this.reflection.takeEvent({ type: "BOOKMARK", object: bookmark });
        }
        if (trouble > 0 && this.random() < 0.3) this.mutate();
      }
      this.reflection.endWatch();
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      // A watch that expires is told so by an event, or by the status of the answer.
      if (error.status === 410 && this.random() < 0.5) {
        const status = { kind: "Status", code: 410, reason: "Expired", message: error.message };
        this.reflection.takeEvent({ type: "ERROR", object: status });
        this.reflection.endWatch();
      } else this.reflection.endWatch(error);
    }
  }

  #mayFail(trouble: number): void {
    if (!this.isServed) throw new ApiFailure("not found", { status: 404 });
    if (this.random() >= trouble) return;
    const status = [0, 0, 0, 429, 500, 410][Math.floor(this.random() * 6)] ?? 0;
    throw new ApiFailure("trouble", { status, ...(status === 410 ? { reason: "Expired" } : {}) });
  }
}

test("whatever is lost, cut and compacted: after quiet, what was told is what the server has", () => {
  for (let seed = 1; seed <= runs(200); seed++) {
    const rig = new Rig(seed);
    for (let index = 0; index < 60; index++) {
      if (rig.random() < 0.5) rig.mutate();
      if (rig.random() < 0.05) rig.reflection.refresh();
      rig.step(0.3);
    }
    for (let index = 0; index < 40; index++) rig.step(0);
    const wanted = rig.store.objects.map((object) => `${versionOf(object)} ${String(object["body"])}`).toSorted();
    assert.deepEqual(rig.listener.versions, wanted, `seed ${seed}`);
    for (const object of rig.listener.objects.values())
      assert.equal("managedFields" in (object["metadata"] as object), false);
  }
});

test("pages are asked for by their token, and a watch begins at the version of the list", () => {
  const rig = new Rig(1);
  for (let index = 0; index < 7; index++) rig.store.put("a", `o${index}`);
  assert.deepEqual(rig.reflection.next(), { do: "list", path: "/things", query: { limit: "3" } });
  for (let index = 0; index < 3; index++) rig.step(0);
  assert.equal(rig.listener.lists, 1);
  assert.equal(rig.listener.objects.size, 7);
  const step = rig.reflection.next();
  assert.equal(step.do, "watch");
  assert.ok(step.do === "watch");
  assert.equal(step.query["resourceVersion"], "8");
  assert.equal(step.query["allowWatchBookmarks"], "true");
  assert.ok(Number(step.query["timeoutSeconds"]) >= 300 && Number(step.query["timeoutSeconds"]) <= 600);
});

test("pages that expire are followed by one whole list at once", () => {
  const rig = new Rig(1);
  for (let index = 0; index < 7; index++) rig.store.put("a", `o${index}`);
  rig.step(0);
  rig.store.compact();
  rig.step(0);
  assert.deepEqual(rig.reflection.next(), { do: "list", path: "/things", query: {} });
  rig.step(0);
  assert.equal(rig.listener.lists, 1);
  assert.equal(rig.listener.objects.size, 7);
});

test("a list after an interruption tells only what changed meanwhile", () => {
  const rig = new Rig(1);
  for (const name of ["o1", "o2", "o3"]) rig.store.put("a", name);
  rig.step(0);
  rig.listener.told.length = 0;
  rig.store.put("a", "o2", { body: 2 });
  rig.store.delete("a", "o3");
  rig.store.compact();
  for (let index = 0; index < 3; index++) rig.step(0);
  assert.deepEqual(rig.listener.told, ["+a/o2", "-a/o3"]);
});

test("after a refresh all there is is told anew, and what is gone is gone", () => {
  const rig = new Rig(1);
  for (let index = 0; index < 4; index++) rig.store.put("a", `o${index}`);
  for (let index = 0; index < 3; index++) rig.step(0);
  rig.listener.told.length = 0;
  rig.store.delete("a", "o3");
  rig.reflection.refresh();
  rig.step(0);
  assert.deepEqual(rig.listener.told, ["+a/o0", "+a/o1", "+a/o2", "-a/o3"]);
  rig.store.put("a", "o1");
  rig.step(0);
  assert.equal(rig.listener.told.at(-1), "+a/o1");
});

test("a resource that the server does not know has no objects, and is asked for again after ten seconds or so", () => {
  const rig = new Rig(1);
  rig.isServed = false;
  rig.step(0);
  assert.equal(rig.listener.lists, 1);
  rig.step(0);
  assert.ok(rig.waited >= 10_000 && rig.waited <= 15_000, String(rig.waited));
  rig.isServed = true;
  rig.store.put("a", "o1");
  rig.step(0);
  assert.equal(rig.listener.objects.size, 1);
});

test("objects of a resource that is no longer known are gone only when the server says so twice", () => {
  const rig = new Rig(1);
  rig.store.put("a", "o1");
  rig.step(0);
  rig.isServed = false;
  rig.step(0);
  rig.step(0);
  assert.equal(rig.listener.objects.size, 1);
  for (let index = 0; index < 3; index++) rig.step(0);
  assert.equal(rig.listener.objects.size, 0);
});

test("of several versions the first that is known is read", () => {
  const rig = new Rig(1, ["/v1/things", "/v1beta1/things"]);
  rig.isServed = false;
  rig.step(0);
  const step = rig.reflection.next();
  assert.ok(step.do === "list");
  assert.equal(step.path, "/v1beta1/things");
});

test("a watch that fails at once, again and again, is waited for ever longer and then listed anew", () => {
  const reflection = new Reflection({ paths: ["/things"], random: () => 0.999 }, new Listener());
  reflection.takePage({ metadata: { resourceVersion: "5" }, items: [] });
  const waits: number[] = [];
  for (let index = 0; index < 4; index++) {
    assert.equal(reflection.next().do, "watch");
    reflection.endWatch(new ApiFailure("cut", { status: 0 }));
    const step = reflection.next();
    assert.ok(step.do === "wait");
    waits.push(step.millis);
  }
  assert.deepEqual(waits, [500, 1000, 1999, 3998]);
  assert.equal(reflection.next().do, "watch");
  reflection.endWatch(new ApiFailure("cut", { status: 0 }));
  assert.equal(reflection.next().do, "wait");
  assert.equal(reflection.next().do, "list");
});

test("watches that always expire do not make a list follow a list without a pause", () => {
  const reflection = new Reflection({ paths: ["/things"], random: () => 0.5 }, new Listener());
  let pauses = 0;
  for (let index = 0; index < 8; index++) {
    reflection.takePage({ metadata: { resourceVersion: "5" }, items: [] });
    assert.equal(reflection.next().do, "watch");
    reflection.endWatch(new ApiFailure("expired", { status: 410 }));
    const step = reflection.next();
    if (step.do === "wait") pauses++;
    assert.equal(step.do === "wait" ? reflection.next().do : step.do, "list");
  }
  assert.equal(pauses, 7);
});

test("a watch goes on at the version of its last event or bookmark, and an expired one is listed anew at once", () => {
  const reflection = new Reflection({ paths: ["/things"], random: () => 0.5 }, new Listener());
  reflection.takePage({ metadata: { resourceVersion: "5" }, items: [] });
  const object = { metadata: { namespace: "a", name: "x", resourceVersion: "7" } };
  for (const [event, version] of [
    [{ type: "ADDED", object }, "7"],
    [{ type: "BOOKMARK", object: { metadata: { resourceVersion: "9" } } }, "9"],
    [{ type: "DELETED", object: { metadata: { ...object.metadata, resourceVersion: "11" } } }, "11"],
  ] as const) {
    reflection.takeEvent(event);
    reflection.endWatch(new ApiFailure("cut", { status: 0 }));
    assert.ok(reflection.next().do === "wait");
    const step = reflection.next();
    assert.ok(step.do === "watch");
    assert.equal(step.query["resourceVersion"], version);
  }
  reflection.takeEvent({ type: "BOOKMARK", object: { metadata: { resourceVersion: "12" } } });
  reflection.takeEvent({ type: "ERROR", object: { code: 410, reason: "Expired", message: "too old" } });
  reflection.endWatch();
  assert.equal(reflection.next().do, "list");
});
