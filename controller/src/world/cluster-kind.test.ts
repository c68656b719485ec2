// One kind while its objects change without end. The clock is the number of versions, so that nothing depends on the machine.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiEvent, ApiRequest, KubeApi } from "../api/contract.ts";
import { KindWatch } from "./cluster-kind.ts";
import type { ObjectChange } from "./indexed-world.ts";

const VERSIONS = 1000;
const LONGEST_SILENCE = 50;
const LIMIT = { timeout: 20_000 };

/**
 * A server that has one ConfigMap more whenever the one called `restless` is decoded: its next version. Reading the text of its
 * data is what brings it, so that there is one more to decode after each, however fast the machine is.
 */
class RestlessApi implements KubeApi {
  version = 0;
  #onEvent: ((event: ApiEvent) => void) | undefined;

  send(): Promise<Readonly<Record<string, unknown>>> {
    return Promise.resolve({ kind: "ConfigMapList", apiVersion: "v1", metadata: { resourceVersion: "1" }, items: [] });
  }

  async watch({ signal }: ApiRequest, onEvent: (event: ApiEvent) => void): Promise<void> {
    this.#onEvent = onEvent;
    this.deliver();
    this.put("calm", { text: "1" });
    const { promise, resolve } = Promise.withResolvers<void>();
    signal?.addEventListener("abort", () => resolve(), { once: true });
    await promise;
  }

  /** The next version of the restless one. */
  deliver(): void {
    this.version++;
    const { version } = this;
    let isRead = false;
    const readText = (): string => {
      if (!isRead && version < VERSIONS) this.deliver();
      isRead = true;
      return String(version);
    };
    this.put("restless", Object.defineProperty({}, "text", { enumerable: true, get: readText }));
  }

  put(name: string, data: object): void {
    const metadata = { namespace: "ns", name, uid: name, resourceVersion: `${name}-${this.version}` };
    this.#onEvent?.({ type: "MODIFIED", object: { apiVersion: "v1", kind: "ConfigMap", metadata, data } });
  }
}

interface Told {
  readonly at: number;
  readonly changes: readonly ObjectChange[];
}

/** What is told until the last version is, with the time of each. */
async function watchRestless(): Promise<readonly Told[]> {
  const api = new RestlessApi();
  const told: Told[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const watch = new KindWatch({
    api,
    kind: "ConfigMap",
    now: () => api.version,
    onChange: (changes) => {
      told.push({ at: api.version, changes });
      if (versionOf(changes) === VERSIONS) resolve();
    },
  });
  await watch.synced;
  await promise;
  await watch.close();
  return told;
}

function versionOf(changes: readonly ObjectChange[]): number {
  const change = changes.find(({ name }) => name === "restless");
  const object = change?.object;
  return object?.kind === "ConfigMap" ? Number(object.object.data?.["text"]) : Number.NaN;
}

test(
  "an object that changes faster than it is decoded keeps back neither its own changes nor those of others",
  LIMIT,
  async () => {
    const told = await watchRestless();
    const times = told.map(({ at }) => at);
    const silences = times.map((at, index) => at - (times[index - 1] ?? 0));
    assert.ok(Math.max(...silences) <= LONGEST_SILENCE + 2, `silent for ${silences.join(", ")}`);
    const calm = told.findIndex(({ changes }) => changes.some(({ name }) => name === "calm"));
    assert.equal(calm, 0, "the other one is told with the first");
  },
);

test("what changes without end is told together, each object once and as it was last", LIMIT, async () => {
  const told = await watchRestless();
  assert.ok(told.length <= VERSIONS / LONGEST_SILENCE + 1, `told ${told.length} times`);
  for (const { at, changes } of told) {
    assert.equal(new Set(changes.map(({ name }) => name)).size, changes.length);
    assert.ok(versionOf(changes) >= at - 1, `${versionOf(changes)} at ${at}`);
  }
});
