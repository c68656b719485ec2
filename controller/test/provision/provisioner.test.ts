/** The provisioner against an API server in memory: what it makes, mends, removes, and whose things it leaves alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { ApiFailure, type ApiRequest } from "../../src/api/contract.ts";
import { CONTROLLER_ANNOTATION, MANAGED_BY_LABEL, MANAGER } from "../../src/provision/identity.ts";
import { clusterOptions } from "../golden-world.ts";
import { ALL, at, CLASS, EDGE, NAME, ProvisionerRig, toForeign } from "./provisioner-rig.ts";

test("a Gateway gets its objects, and those that are deleted or changed come back", async () => {
  await using rig = new ProvisionerRig();
  await rig.follow(CLASS + EDGE);
  await eventually(() => rig.names() === ALL);
  assert.deepEqual(rig.failures(), []);
  const writes = rig.api.writes.length;
  rig.api.remove("ServiceAccount", "shop", NAME);
  await eventually(() => rig.names() === ALL);
  const service = rig.api.get("Service", "shop", NAME);
  rig.api.put({ ...service, spec: { ...(at(service, "spec") as object), selector: { app: "theirs" } } });
  await eventually(() => at(rig.api.get("Service", "shop", NAME), "spec", "selector", "app.kubernetes.io/instance"));
  assert.equal(rig.api.writes.length, writes + 2);
});

test("an account or an authority of somebody else gets no pods of ours, and neither is touched", async () => {
  for (const [kind, name] of [
    ["ServiceAccount", NAME],
    ["ConfigMap", `${NAME}-ca`],
  ] as const) {
    await using rig = new ProvisionerRig();
    const foreign = rig.api.put(toForeign(kind, name));
    await rig.follow(CLASS + EDGE);
    await eventually(() => rig.failures().length > 0 && rig.api.get("Service", "shop", NAME) !== undefined);
    await eventually(() => rig.api.writes.length === 2);
    assert.match(rig.failures().join(), new RegExp(`${kind} shop/${name} exists already`));
    assert.equal(rig.api.get("Deployment", "shop", NAME), undefined, kind);
    assert.equal(rig.api.get(kind, "shop", name), foreign);
    rig.api.remove(kind, "shop", name);
    // It is not seen going, for it never had our label: a change of the plan has another look at once.
    await rig.follow(CLASS + EDGE.replace("team: edge", "team: other"));
    await eventually(() => rig.names() === ALL);
    await eventually(() => rig.failures().length === 0);
  }
});

test("labels that anybody can write make nothing ours", async () => {
  await using rig = new ProvisionerRig();
  const claims = [
    { labels: { [MANAGED_BY_LABEL]: MANAGER } },
    { annotations: { [CONTROLLER_ANNOTATION]: clusterOptions.controllerName } },
    {
      labels: { [MANAGED_BY_LABEL]: MANAGER },
      annotations: { [CONTROLLER_ANNOTATION]: clusterOptions.controllerName },
      ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "theirs", uid: "theirs" }],
    },
  ];
  for (const metadata of claims) {
    const foreign = rig.api.put(toForeign("Deployment", NAME, metadata));
    await rig.follow(CLASS + EDGE);
    await eventually(() => rig.failures().some((message) => message.startsWith(`Deployment shop/${NAME}`)));
    assert.equal(rig.api.get("Deployment", "shop", NAME), foreign, JSON.stringify(metadata));
    rig.api.remove("Deployment", "shop", NAME);
    await rig.follow(CLASS + EDGE.replace("team: edge", `team: t${claims.indexOf(metadata)}`));
    await eventually(() => rig.names() === ALL && rig.failures().length === 0);
    await rig.follow(CLASS);
    for (const kind of ["Deployment", "Service", "ServiceAccount"]) rig.api.remove(kind, "shop", NAME);
    rig.api.remove("ConfigMap", "shop", `${NAME}-ca`);
  }
});

test("Gateways whose names come to the same do not share objects: the second is told so", async () => {
  const classes =
    CLASS + `---${CLASS.replace("name: sallyport", "name: b-sallyport").replace("uid: class", "uid: other")}`;
  const first = EDGE.replace("name: edge, namespace: shop, uid: edge", "name: a-b, namespace: shop, uid: one");
  const second = EDGE.replace("name: edge, namespace: shop, uid: edge", "name: a, namespace: shop, uid: two").replace(
    "gatewayClassName: sallyport",
    "gatewayClassName: b-sallyport",
  );
  await using rig = new ProvisionerRig();
  await rig.follow(classes + first);
  await eventually(() => rig.api.get("Deployment", "shop", "a-b-sallyport"));
  const before = rig.api.get("Deployment", "shop", "a-b-sallyport");
  await rig.follow(classes + first + second);
  await eventually(() => rig.failures("shop/a").length >= 3);
  assert.match(rig.failures("shop/a").join(), /was made for Gateway a-b, which is another one/);
  assert.deepEqual(rig.failures("shop/a-b"), []);
  assert.equal(rig.api.get("Deployment", "shop", "a-b-sallyport"), before);
});

test("parameters that may not say what code runs are told, and nothing is touched until they are mended", async () => {
  const parameters = (spec: string): string => `---
apiVersion: sallyport.io/v1alpha1
kind: GatewayParameters
metadata: { name: own, namespace: shop }
spec: { deployment: { ${spec} } }
`;
  const ref = "parametersRef: { group: sallyport.io, kind: GatewayParameters, name: own }";
  const named = EDGE.replace("infrastructure: {", `infrastructure: { ${ref},`);
  await using rig = new ProvisionerRig();
  await rig.follow(CLASS + named + parameters("image: theirs"));
  await eventually(() => rig.failures().length === 1);
  assert.match(rig.failures().join(), /spec\.deployment\.image, which only those of its GatewayClass may/);
  assert.equal(rig.names(), "");
  await rig.follow(CLASS + named + parameters("image: theirs"));
  await rig.follow(CLASS + named + parameters("workers: 2"));
  await eventually(() => rig.names() === ALL && rig.failures().length === 0);
  assert.equal(rig.lines.filter((line) => line.includes("cannot be had")).length, 1, "it is logged once");
});

test("only what is labelled, annotated and owned as ours is deleted, and by its uid", async () => {
  const owner = { apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway", name: "edge", uid: "edge" };
  const ours = {
    labels: { [MANAGED_BY_LABEL]: MANAGER },
    annotations: { [CONTROLLER_ANNOTATION]: clusterOptions.controllerName },
    ownerReferences: [owner],
  };
  await using rig = new ProvisionerRig();
  rig.api.put(toForeign("Service", "stale", ours));
  rig.api.put(toForeign("Service", "unowned", { ...ours, ownerReferences: [] }));
  rig.api.put(toForeign("Service", "unlabelled", { ...ours, labels: {} }));
  rig.api.put(toForeign("Service", "elsewhere", { ...ours, annotations: { [CONTROLLER_ANNOTATION]: "other/one" } }));
  await rig.follow(CLASS + EDGE);
  await eventually(() => rig.names() === ALL && rig.api.get("Service", "shop", "stale") === undefined);
  for (const name of ["unowned", "unlabelled", "elsewhere"]) assert.ok(rig.api.get("Service", "shop", name), name);
  const deletions = rig.api.writes.filter(({ method }) => method === "DELETE");
  assert.equal(deletions.length, 1);
  assert.match(String(at(deletions[0]?.body, "preconditions", "uid")), /^uid-/);
});

test("a Gateway that is being deleted, or whose class is gone, is left as it is", async () => {
  await using rig = new ProvisionerRig();
  await rig.follow(CLASS + EDGE);
  await eventually(() => rig.names() === ALL);
  const ending = EDGE.replace("uid: edge", 'uid: edge, deletionTimestamp: "2026-01-01T00:00:00Z"');
  await rig.follow(CLASS + ending);
  rig.api.remove("Deployment", "shop", NAME);
  await rig.follow(EDGE);
  await rig.follow(CLASS + ending);
  assert.equal(rig.names(), "ServiceAccount ConfigMap Service");
  assert.equal(rig.api.writes.filter(({ method }) => method === "DELETE").length, 0);
  await rig.follow(CLASS + EDGE);
  await eventually(() => rig.names() === ALL);
});

test("what the server refuses is told without ids that change, does not stop the other objects, and is tried again", async () => {
  await using rig = new ProvisionerRig();
  let refusals = 0;
  const refuse = ({ method, path }: ApiRequest): ApiFailure | undefined => {
    if (method !== "PATCH" || !path.includes("/services/")) return undefined;
    refusals += 1;
    return new ApiFailure(`exceeded quota (audit id ${refusals})`, { status: 403, reason: "Forbidden" });
  };
  rig.api.script = refuse;
  await rig.follow(CLASS + EDGE);
  await eventually(() => rig.names() === "ServiceAccount ConfigMap Deployment");
  assert.deepEqual(rig.failures(), [`Service shop/${NAME}: exceeded quota`]);
  await eventually(() => refusals >= 2);
  assert.equal(rig.lines.filter((line) => line.includes("exceeded quota")).length, 1, "it is logged once");
  rig.api.script = () => undefined;
  await eventually(() => rig.names() === ALL && rig.failures().length === 0);
});

test("the replicas of a Deployment are handed over before nobody has them, and are not touched again", async () => {
  await using rig = new ProvisionerRig();
  const parameters = `---
apiVersion: sallyport.io/v1alpha1
kind: GatewayParameters
metadata: { name: ten, namespace: shop }
spec: { deployment: { replicas: 10 } }
`;
  const ref = "parametersRef: { group: sallyport.io, kind: GatewayParameters, name: ten }";
  const pinned = EDGE.replace("infrastructure: {", `infrastructure: { ${ref},`);
  await rig.follow(CLASS + pinned + parameters);
  await eventually(() => rig.names() === ALL);
  const live = rig.api.get("Deployment", "shop", NAME);
  assert.equal(at(live, "spec", "replicas"), 10);
  const managedFields = [{ manager: MANAGER, operation: "Apply", fieldsV1: { "f:spec": { "f:replicas": {} } } }];
  rig.api.put({ ...live, metadata: { ...(at(live, "metadata") as object), managedFields } });
  const writes = rig.api.writes.length;
  await rig.follow(CLASS + EDGE);
  await eventually(() => rig.api.writes.length === writes + 2);
  const [handover, apply] = rig.api.writes.slice(writes);
  assert.equal(handover?.query?.["fieldManager"], "sallyport-replicas");
  assert.equal(at(handover?.body, "spec", "replicas"), 10);
  assert.equal(apply?.query?.["fieldManager"], MANAGER);
  assert.equal(at(apply?.body, "spec", "replicas"), undefined);
});

test("nothing is made anew in a namespace that ends, whichever is told first", async () => {
  const SHOP = "---\napiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n";
  await using rig = new ProvisionerRig();
  await rig.follow(CLASS + EDGE + SHOP);
  await eventually(() => rig.names() === ALL);
  const [writes, refused] = [rig.api.writes.length, [] as string[]];
  rig.api.script = ({ method, path }) => {
    if (method !== "PATCH") return undefined;
    refused.push(path);
    return new ApiFailure("because it is being terminated", { status: 403, causes: ["NamespaceTerminating"] });
  };
  rig.api.remove("Service", "shop", NAME);
  await eventually(() => refused.length === 1);
  await rig.follow(CLASS + EDGE + SHOP.replace("name: shop", 'name: shop, deletionTimestamp: "2026-01-01T00:00:00Z"'));
  for (const kind of ["Deployment", "ServiceAccount"]) rig.api.remove(kind, "shop", NAME);
  await rig.follow(CLASS + EDGE.replace("team: edge", "team: more") + SHOP);
  await eventually(() => refused.length > 1);
  assert.equal(refused.filter((path) => path.includes("/services/")).length, 2, "once before it was known, once after");
  assert.deepEqual([rig.api.writes.length, rig.failures()], [writes, []]);
  assert.ok(!rig.lines.some((line) => line.includes("cannot be had")), rig.lines.join("\n"));
});

test("what keeps pods from coming up is told and logged once, until they come", async () => {
  await using rig = new ProvisionerRig();
  await rig.follow(CLASS + EDGE);
  await eventually(() => rig.names() === ALL);
  const observedGeneration = at(rig.api.get("Deployment", "shop", NAME), "metadata", "generation");
  const failure = { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "exceeded quota: pods" };
  const putConditions = (...conditions: readonly object[]): void =>
    rig.api.putStatus("Deployment", "shop", { name: NAME, status: { observedGeneration, conditions } });
  putConditions(failure);
  await eventually(() => rig.failures().length === 1);
  putConditions(failure, { type: "Available", status: "False" });
  assert.match(
    rig.failures().join(),
    /Deployment shop\/edge-sallyport do not come up: FailedCreate: exceeded quota: pods;/,
  );
  putConditions();
  await eventually(() => rig.failures().length === 0);
  assert.equal(rig.lines.filter((line) => line.includes("proxies do not come up")).length, 1);
});
