// Statuses in a real cluster with two controllers: they are prompt, leave what others write, and go on when the leader is killed.
// Needs root and Go: `npm run conformance:tests -- conformance/controller/statuses`.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import type { Cluster } from "../cluster/cluster.ts";
import { keepLogs, openTestbed, SYSTEM_NAMESPACE, type Testbed } from "../testbed.ts";

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly observedGeneration?: number;
}

interface Parent {
  readonly controllerName: string;
  readonly conditions: readonly Condition[];
}

interface Printed {
  readonly metadata: { readonly generation: number; readonly resourceVersion: string };
  readonly status: { readonly conditions?: readonly Condition[]; readonly parents?: readonly Parent[] };
}

const OURS = "sallyport.io/gateway-controller";
const NAMESPACE = "statuses";
/**
 * Milliseconds until what must come has come. An idle machine has a status within a second, and another leader within 30 s (the
 * Lease runs out after 15 s, and a candidate looks at it every few seconds); kubectl alone takes seconds on a busy one.
 */
const WITHIN = { within: 120_000 };
/** The API's own example of a time. */
const SINCE = "2026-01-01T00:00:00Z";

const OBJECTS = `
apiVersion: v1
kind: Namespace
metadata: { name: ${NAMESPACE} }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: web, namespace: ${NAMESPACE} }
spec:
  gatewayClassName: sallyport
  listeners: [{ name: http, port: 80, protocol: HTTP }]
`;

function route(name: string, hostname: string): string {
  return `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name}, namespace: ${NAMESPACE} }
spec:
  parentRefs: [{ name: web }]
  hostnames: [${hostname}]
  rules: [{ backendRefs: [{ name: absent, port: 80 }] }]
`;
}

describe("statuses in a cluster", () => {
  let testbed: Testbed;
  let cluster: Cluster;

  before(async () => {
    testbed = await openTestbed({
      name: process.env["SALLYPORT_CLUSTER"] ?? "statuses",
      afterwards: "down",
      replicas: { controllers: 2, proxies: 1 },
      say: (line) => console.log(line),
    });
    ({ cluster } = testbed);
    await apply(OBJECTS);
  });

  afterEach(async (t) => {
    if ("passed" in t && !t.passed) await keepLogs(cluster, join(import.meta.dirname, "../report/statuses"));
  });
  after(async () => {
    await kubectl("delete", "namespace", NAMESPACE, "--wait=false");
    await testbed[Symbol.asyncDispose]();
  });

  const kubectl = (...args: readonly string[]): Promise<string> => cluster.kubectl(["-n", NAMESPACE, ...args]);
  const apply = (yaml: string): Promise<string> => cluster.kubectl(["apply", "-f", "-"], { input: yaml });
  const read = async (object: string): Promise<Printed> =>
    JSON.parse(await kubectl("get", object, "-o", "json")) as Printed;
  const patchStatus = (object: string, status: unknown): Promise<string> =>
    kubectl("patch", object, "--subresource=status", "--type=merge", "-p", JSON.stringify({ status }));
  const ours = ({ status }: Printed): Parent | undefined =>
    status.parents?.find(({ controllerName }) => controllerName === OURS);
  const isCurrent = (printed: Printed): boolean =>
    ours(printed)?.conditions.every(({ observedGeneration }) => observedGeneration === printed.metadata.generation) ===
    true;

  it("a Gateway is programmed once its proxies are ready", async () => {
    await kubectl("wait", "--for=condition=Programmed", "--timeout=180s", "gateway/web");
    const { status, metadata } = await read("gateway/web");
    for (const condition of status.conditions ?? [])
      assert.equal(condition.observedGeneration, metadata.generation, condition.type);
  });

  it("a route has its status, and for each generation again", async () => {
    for (const hostname of ["one.example", "two.example", "three.example"]) {
      await apply(route("prompt", hostname));
      await eventually(async () => isCurrent(await read("httproute/prompt")), { ...WITHIN, what: hostname });
    }
  });

  it("entries and conditions of others survive ours", async () => {
    await apply(route("shared", "one.example"));
    await eventually(async () => isCurrent(await read("httproute/shared")), WITHIN);
    const condition = { reason: "Seen", message: "", lastTransitionTime: SINCE, status: "True", observedGeneration: 1 };
    const theirs = {
      parentRef: { group: "gateway.networking.k8s.io", kind: "Gateway", name: "web" },
      controllerName: "example.com/other",
      conditions: [{ ...condition, type: "Accepted" }],
    };
    await patchStatus("httproute/shared", { parents: [theirs] });
    await eventually(async () => isCurrent(await read("httproute/shared")), {
      ...WITHIN,
      what: "our entry, which was taken away",
    });
    await apply(route("shared", "two.example"));
    await eventually(async () => isCurrent(await read("httproute/shared")), WITHIN);
    const { status } = await read("httproute/shared");
    assert.deepEqual(status.parents?.[0], theirs);
    assert.equal(status.parents?.length, 2);

    const { conditions = [] } = (await read("gateway/web")).status;
    const foreign = { ...condition, type: "example.com/Audited" };
    await patchStatus("gateway/web", { conditions: [...conditions, foreign] });
    await kubectl(
      "patch",
      "gateway/web",
      "--type=merge",
      "-p",
      JSON.stringify({ spec: { infrastructure: { labels: { a: "b" } } } }),
    );
    await eventually(async () => {
      const gateway = await read("gateway/web");
      const accepted = gateway.status.conditions?.find(({ type }) => type === "Accepted");
      return accepted?.observedGeneration === gateway.metadata.generation;
    }, WITHIN);
    const after = (await read("gateway/web")).status.conditions ?? [];
    assert.deepEqual(
      after.find(({ type }) => type === foreign.type),
      foreign,
    );
  });

  it("nothing is written while nothing changes", async () => {
    await kubectl("wait", "--for=condition=Programmed", "--timeout=180s", "gateway/web");
    await apply(route("calm", "one.example"));
    await eventually(async () => isCurrent(await read("httproute/calm")), WITHIN);
    const before = await read("httproute/calm");
    await apply(route("other", "one.example"));
    await eventually(async () => isCurrent(await read("httproute/other")), WITHIN);
    assert.equal((await read("httproute/calm")).metadata.resourceVersion, before.metadata.resourceVersion);
  });

  it("the other controller writes on when the leader is killed, and the two do not fight", async () => {
    const holder = await leaderOf(cluster);
    await cluster.kubectl(["-n", SYSTEM_NAMESPACE, "delete", "pod", holder, "--grace-period=0", "--force"]);
    await apply(route("orphan", "one.example"));
    await eventually(async () => isCurrent(await read("httproute/orphan")), {
      ...WITHIN,
      what: "another leader",
    });
    assert.notEqual(await leaderOf(cluster), holder);
    await cluster.kubectl([
      "-n",
      SYSTEM_NAMESPACE,
      "rollout",
      "status",
      "--timeout=180s",
      "deployment/sallyport-controller",
    ]);
    await apply(route("calm", "two.example"));
    await eventually(async () => isCurrent(await read("httproute/calm")), WITHIN);
    const before = await read("httproute/calm");
    await apply(route("other", "two.example"));
    await eventually(async () => isCurrent(await read("httproute/other")), WITHIN);
    assert.equal((await read("httproute/calm")).metadata.resourceVersion, before.metadata.resourceVersion);
  });
});

async function leaderOf(cluster: Cluster): Promise<string> {
  const path = "jsonpath={.spec.holderIdentity}";
  return cluster.kubectl(["-n", SYSTEM_NAMESPACE, "get", "lease", "sallyport-controller", "-o", path]);
}
