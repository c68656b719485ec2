import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { openKubeApi, type OpenKubeApi } from "../src/api/kube-api.ts";
import { type ClusterWorld, watchCluster, type WatchClusterOptions } from "../src/world/cluster-world.ts";
import type { Kind } from "../src/world/world.ts";
import { TestApiServer } from "./api-server.ts";
import { writeKubeconfig } from "./kubeconfig-file.ts";
import { ModelStore } from "./model-store.ts";

const paths = {
  ConfigMap: "/api/v1/configmaps",
  Secret: "/api/v1/secrets",
  Service: "/api/v1/services",
  Gateway: "/apis/gateway.networking.k8s.io/v1/gateways",
  OldGateway: "/apis/gateway.networking.k8s.io/v1beta1/gateways",
} as const;

interface Note {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

class Rig {
  readonly server: TestApiServer;
  readonly api: OpenKubeApi;
  readonly notes: Note[] = [];
  readonly #worlds: ClusterWorld[] = [];

  private constructor(server: TestApiServer, api: OpenKubeApi) {
    this.server = server;
    this.api = api;
  }

  static async open(): Promise<Rig> {
    const server = await TestApiServer.start();
    using directory = writeKubeconfig(server);
    return new Rig(server, await openKubeApi({ version: "1", kubeconfig: directory.file("config") }));
  }

  watch(options: WatchClusterOptions = {}): ClusterWorld {
    const log = {
      warn: (message: string, fields = {}) => void this.notes.push({ level: "warn", message, fields }),
      info: (message: string, fields = {}) => void this.notes.push({ level: "info", message, fields }),
    };
    const world = watchCluster(this.api, { log, ...options });
    this.#worlds.push(world);
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#worlds.map(async (world) => world.close()));
    this.api.close();
    await this.server[Symbol.asyncDispose]();
  }
}

/** Resolves when the world has become what is wanted, which it is asked at each change. */
async function until(world: ClusterWorld, isReached: () => boolean): Promise<void> {
  if (isReached()) return;
  await new Promise<void>((resolve) => {
    const stop = world.onChange(() => {
      if (!isReached()) return;
      stop();
      resolve();
    });
  });
}

function namesOf(world: ClusterWorld, kind: Kind): string[] {
  return world.world.list(kind).map(({ namespace, name }) => `${namespace}/${name}`);
}

const gateway = { spec: { gatewayClassName: "x", listeners: [{ name: "a", port: 80, protocol: "HTTP" }] } };

test("what there is comes in pages, and every change follows", async () => {
  await using rig = await Rig.open();
  const store = rig.server.serve(paths.ConfigMap);
  for (let index = 0; index < 7; index++) store.put("a", `m${index}`, { data: { k: "v" } });
  const world = rig.watch({ pageSize: 3 });
  assert.deepEqual(namesOf(world, "ConfigMap"), []);
  await world.synced;
  assert.equal(world.world.list("ConfigMap").length, 7);
  const before = world.world;
  store.put("a", "m3", { data: { k: "new" } });
  store.delete("a", "m6");
  store.put("b", "z");
  await until(world, () => namesOf(world, "ConfigMap").includes("b/z"));
  assert.deepEqual(namesOf(world, "ConfigMap"), ["a/m0", "a/m1", "a/m2", "a/m3", "a/m4", "a/m5", "b/z"]);
  assert.deepEqual(world.world.get("ConfigMap", "a", "m3")?.object.data, { k: "new" });
  assert.equal(before.list("ConfigMap").length, 7);
  assert.equal(world.world.get("ConfigMap", "a", "m0"), before.get("ConfigMap", "a", "m0"));
  assert.equal(world.world, world.world);
});

test("age, status and decoded secrets are there; what is bulky and never used is not asked for", async () => {
  await using rig = await Rig.open();
  rig.server.serve(paths.Gateway).put("a", "g", {
    ...gateway,
    metadata: { creationTimestamp: "2026-01-31T12:00:00Z", managedFields: [{ manager: "kubectl" }] },
    status: { addresses: [{ value: "10.0.0.1" }] },
  });
  rig.server.serve(paths.Secret).put("a", "s", { type: "Opaque", data: { k: "aGVsbG8=" } });
  const world = rig.watch();
  await world.synced;
  const found = world.world.get("Gateway", "a", "g");
  assert.equal(found?.age, "2026-01-31T12:00:00.000Z");
  assert.equal("managedFields" in (found?.object.metadata ?? {}), false);
  assert.deepEqual(Reflect.get(found?.object ?? {}, "status"), { addresses: [{ value: "10.0.0.1" }] });
  assert.equal(world.world.get("Secret", "a", "s")?.object.data["k"]?.text(), "hello");
  const asked = rig.server.seen.find(({ url }) => url.pathname === paths.Secret);
  assert.equal(
    asked?.url.searchParams.get("fieldSelector"),
    "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token",
  );
});

test("an object that cannot be read keeps its last good version, is counted and told once", async () => {
  await using rig = await Rig.open();
  const store = rig.server.serve(paths.Gateway);
  store.put("a", "g", gateway);
  store.put("a", "bad", { spec: { ...gateway.spec, gatewayClassName: 5 } });
  const world = rig.watch();
  await world.synced;
  assert.deepEqual(namesOf(world, "Gateway"), ["a/g"]);
  const good = world.world.get("Gateway", "a", "g");
  store.put("a", "g", { spec: { gatewayClassName: "x", listeners: "none" } });
  store.put("a", "last", { ...gateway, unheardOf: true });
  await until(world, () => namesOf(world, "Gateway").includes("a/last"));
  assert.equal(world.world.get("Gateway", "a", "g"), good);
  assert.deepEqual(world.counts.get("Gateway"), { undecodable: 2, unknownFields: 1 });
  const warnings = rig.notes.filter(({ level }) => level === "warn");
  assert.deepEqual(
    warnings.map(({ fields }) => [fields["kind"], fields["namespace"], fields["name"], fields["path"]]),
    [
      ["Gateway", "a", "bad", "spec.gatewayClassName"],
      ["Gateway", "a", "g", "spec.listeners"],
    ],
  );
  store.delete("a", "g");
  store.delete("a", "bad");
  await until(world, () => !namesOf(world, "Gateway").includes("a/g"));
  await eventually(() => world.counts.get("Gateway")?.undecodable === 0);
});

test("connections that are cut cost nothing that happened meanwhile", async () => {
  await using rig = await Rig.open();
  const store = rig.server.serve(paths.ConfigMap);
  const services = rig.server.serve(paths.Service);
  for (const name of ["m1", "m2", "m3"]) store.put("a", name);
  const world = rig.watch();
  await world.synced;
  await rig.server.request(({ url }) => url.pathname === paths.ConfigMap && url.searchParams.has("watch"));
  rig.server.cut();
  store.delete("a", "m1");
  store.put("a", "m4");
  store.compact();
  services.put("a", "s", { spec: { ports: [{ port: 80 }] } });
  await until(world, () => namesOf(world, "ConfigMap").includes("a/m4") && namesOf(world, "Service").includes("a/s"));
  assert.deepEqual(namesOf(world, "ConfigMap"), ["a/m2", "a/m3", "a/m4"]);
});

test("a kind without its CRD is empty, and of two versions the one that is served is read", async () => {
  await using rig = await Rig.open();
  rig.server.serve(paths.OldGateway).put("a", "g", gateway);
  const world = rig.watch();
  await world.synced;
  assert.deepEqual(namesOf(world, "Gateway"), ["a/g"]);
  assert.equal(world.world.get("Gateway", "a", "g")?.object.apiVersion, "gateway.networking.k8s.io/v1");
  assert.deepEqual(namesOf(world, "HTTPRoute"), []);
  assert.deepEqual(rig.notes, []);
});

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const definition = "gateways.gateway.networking.k8s.io";

test("when the CRD of a kind is replaced, what it shows of old objects is seen, and what it shows as before stays the same", async () => {
  await using rig = await Rig.open();
  const crds = rig.server.serve(definitions);
  crds.put("", definition, { metadata: { uid: "u", generation: 1 } });
  crds.put("", "others.example.com", { metadata: { uid: "o", generation: 1 } });
  const store = rig.server.serve(paths.Gateway);
  const cut = { ...gateway.spec };
  store.put("a", "cut", { spec: cut });
  store.put("a", "plain", gateway);
  const world = rig.watch({ kinds: ["Gateway"], delays: [0] });
  await world.synced;
  const isWatch = ({ url }: { readonly url: URL }): boolean => url.searchParams.has("watch");
  const watch = await rig.server.request((request) => isWatch(request) && request.url.pathname === definitions);
  assert.equal(watch.headers.accept, "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
  const [list] = rig.server.seen.filter(({ url }) => url.pathname === definitions);
  assert.equal(list?.headers.accept, "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
  await rig.server.request((request) => isWatch(request) && request.url.pathname === paths.Gateway);
  const plain = world.world.get("Gateway", "a", "plain");
  // The stored object has another form from now on, and the version that it had.
  Object.assign(cut, { gatewayClassName: "y" });
  crds.put("", "others.example.com", { metadata: { uid: "o", generation: 2 } });
  crds.put("", definition, { metadata: { uid: "u", generation: 2 } });
  await until(world, () => world.world.get("Gateway", "a", "cut")?.object.spec.gatewayClassName === "y");
  assert.equal(world.world.get("Gateway", "a", "plain"), plain);
  assert.deepEqual(
    rig.notes.map(({ fields }) => fields),
    [{ kind: "Gateway", definition }],
  );
  store.put("a", "later", gateway);
  await until(world, () => namesOf(world, "Gateway").includes("a/later"));
});

test("a status of a CRD that changes is no reason to read anything anew", async () => {
  await using rig = await Rig.open();
  const crds = rig.server.serve(definitions);
  crds.put("", definition, { metadata: { uid: "u", generation: 1 } });
  rig.server.serve(paths.Gateway).put("a", "g", gateway);
  const world = rig.watch({ kinds: ["Gateway"], delays: [0] });
  await world.synced;
  await rig.server.request(({ url }) => url.pathname === definitions && url.searchParams.has("watch"));
  crds.put("", definition, { metadata: { uid: "u", generation: 1 }, status: { conditions: [] } });
  crds.put("", definition, { metadata: { uid: "u", generation: 2 } });
  await rig.server.request(
    ({ url }) => url.pathname === paths.Gateway && rig.server.seen.filter(isListOf(paths.Gateway)).length === 2,
  );
  assert.equal(rig.notes.length, 1);
});

function isListOf(path: string): (request: { readonly url: URL }) => boolean {
  return ({ url }) => url.pathname === path && !url.searchParams.has("watch");
}

test("objects of a CRD that comes late are there at once", async () => {
  await using rig = await Rig.open();
  const crds = rig.server.serve(definitions);
  const world = rig.watch({ kinds: ["Gateway"], delays: [0] });
  await world.synced;
  await rig.server.request(({ url }) => url.pathname === definitions && url.searchParams.has("watch"));
  rig.server.serve(paths.Gateway).put("a", "g", gateway);
  crds.put("", definition, { metadata: { uid: "u", generation: 1 } });
  await until(world, () => namesOf(world, "Gateway").includes("a/g"));
});

test("objects go when their CRD goes, and half a list is never shown", async () => {
  await using rig = await Rig.open();
  const store = rig.server.serve(paths.Gateway);
  for (let index = 0; index < 4; index++) store.put("a", `g${index}`, gateway);
  const world = rig.watch({ pageSize: 2, kinds: ["Gateway"] });
  const sizes: number[] = [];
  world.onChange(() => sizes.push(world.world.list("Gateway").length));
  await world.synced;
  await rig.server.request(({ url }) => url.searchParams.has("watch"));
  rig.server.unserve(paths.Gateway);
  rig.server.cut();
  await until(world, () => world.world.list("Gateway").length === 0);
  assert.deepEqual(sizes, [4, 0]);
});

test("what may not be read is told with what to check, and the world waits for it", async () => {
  await using rig = await Rig.open();
  rig.server.serve(paths.ConfigMap);
  rig.server.script = ({ url }, answer) => {
    if (url.pathname !== paths.ConfigMap) return false;
    answer
      .writeHead(403)
      .end(JSON.stringify({ kind: "Status", reason: "Forbidden", message: "configmaps is forbidden" }));
    return true;
  };
  const world = rig.watch({ kinds: ["ConfigMap"] });
  let isSynced = false;
  void world.synced.then(() => (isSynced = true));
  await eventually(() => rig.notes.length > 0);
  assert.equal(isSynced, false);
  assert.match(String(rig.notes[0]?.fields["reason"]), /403 configmaps is forbidden; check the RBAC/);
  rig.server.script = () => false;
  await world.synced;
  assert.equal(rig.notes.at(-1)?.message, "objects can be read again");
});

test("many changes of one turn are told once", async () => {
  await using rig = await Rig.open();
  const store = new ModelStore();
  rig.server.serve(paths.ConfigMap, store);
  const world = rig.watch({ kinds: ["ConfigMap"] });
  await world.synced;
  await rig.server.request(({ url }) => url.searchParams.has("watch"));
  let calls = 0;
  world.onChange(() => calls++);
  for (let index = 0; index < 300; index++) store.put("a", `m${index % 30}`, { data: { index: String(index) } });
  await until(world, () => world.world.get("ConfigMap", "a", "m29")?.object.data?.["index"] === "299");
  assert.equal(world.world.list("ConfigMap").length, 30);
  assert.ok(calls < 60, String(calls));
});
