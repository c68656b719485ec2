// Our policies at a real API server: it takes their CRDs with all rules, and judges objects as our own validators do.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { ApiFailure } from "@sallyport/controller/api/contract";
import { openKubeApi, type OpenKubeApi } from "@sallyport/controller/api/kube-api";
import { decodeObject } from "@sallyport/controller/kube/decode";
import { eventually } from "@sallyport/testkit/eventually";
import { type PolicyKind, readPolicyCases } from "@sallyport/testkit/policy-cases";
import fc from "fast-check";
import { parse } from "yaml";
import { type RealApiServer, startApiServer } from "./api-server.ts";
import { type ObjectSchema, specsOf } from "./random-specs.ts";

const crds = join(dirname(dirname(import.meta.dirname)), "charts/sallyport/crds");
const PLURALS: Readonly<Record<PolicyKind, string>> = {
  BackendTrafficPolicy: "backendtrafficpolicies",
  ClientTrafficPolicy: "clienttrafficpolicies",
};
const KINDS = ["BackendTrafficPolicy", "ClientTrafficPolicy"] as const;
const GROUP = "policy.sallyport.io";

let server: RealApiServer;
let api: OpenKubeApi;

before(async () => {
  server = await startApiServer();
  await server.kubectl(["apply", "--server-side", "-f", crds]);
  await server.kubectl(["wait", "--for=condition=Established", "--timeout=180s", "crd", "--all"]);
  api = await openKubeApi({ version: "test", kubeconfig: server.kubeconfig, rate: { perSecond: 1000, burst: 1000 } });
  // Established is said a moment before it is served.
  for (const kind of KINDS)
    await eventually(async () => (await api.send({ method: "GET", path: pathOf(kind) })) !== null, { within: 180_000 });
});

after(async () => {
  api.close();
  await server[Symbol.asyncDispose]();
});

function pathOf(kind: PolicyKind): string {
  return `/apis/${GROUP}/v1alpha1/namespaces/default/${PLURALS[kind]}`;
}

type Spec = Readonly<Record<string, unknown>>;

/** What the server makes of a spec, without keeping it; or its words where it refuses it. */
async function submit(kind: PolicyKind, spec: Spec): Promise<{ readonly spec?: Spec; readonly refusal?: string }> {
  const body = { apiVersion: `${GROUP}/v1alpha1`, kind, metadata: { name: "policy" }, spec };
  const query = { dryRun: "All", fieldValidation: "Strict" };
  try {
    const made = await api.send({ method: "POST", path: pathOf(kind), query, body });
    return { spec: made["spec"] as Spec };
  } catch (error) {
    if (!(error instanceof ApiFailure) || error.status === 0 || error.status >= 500) throw error;
    return { refusal: error.message };
  }
}

for (const { kind, title, spec, becomes, refused } of readPolicyCases()) {
  test(`${kind}: ${title}${refused === undefined ? "" : " is refused"}`, async () => {
    const answer = await submit(kind, spec);
    if (refused !== undefined) {
      assert.ok(answer.refusal !== undefined, "it was taken");
      assert.ok(answer.refusal.includes(refused.field), answer.refusal);
      assert.ok(answer.refusal.includes(refused.says ?? ""), answer.refusal);
      return;
    }
    assert.equal(answer.refusal, undefined);
    for (const [name, value] of Object.entries(becomes ?? {})) assert.deepEqual(answer.spec?.[name], value, name);
  });
}

for (const kind of KINDS) {
  test(`random specs of ${kind} are judged alike, and have the same defaults`, async () => {
    const seen = { taken: 0, refused: 0 };
    const property = fc.asyncProperty(specsOf(readSpecSchema(kind)), async (spec) => {
      const raw = { metadata: { name: "policy" }, spec: structuredClone(spec) };
      const [ours, theirs] = await Promise.all([decodeObject(kind, raw, "strict"), submit(kind, spec)]);
      const said = `${JSON.stringify(ours.issues)} against ${theirs.refusal ?? "taken"}`;
      assert.equal(ours.issues.length > 0, theirs.refusal !== undefined, said);
      seen[theirs.refusal === undefined ? "taken" : "refused"]++;
      if (theirs.spec !== undefined) assert.deepEqual(ours.object?.spec, theirs.spec);
    });
    await fc.assert(property, { numRuns: 600 });
    assert.ok(seen.taken > 100 && seen.refused > 100, JSON.stringify(seen));
  });
}

test("statuses are written apart, and say nothing wrong", async () => {
  const [kind] = KINDS;
  const targetRefs = [{ group: "", kind: "Service", name: "web" }];
  const object = { apiVersion: `${GROUP}/v1alpha1`, kind, metadata: { name: "told" }, spec: { targetRefs } };
  const condition = { type: "Accepted", status: "True", reason: "Accepted", message: "", observedGeneration: 1 };
  const ancestor = {
    ancestorRef: { name: "web", namespace: "default" },
    controllerName: "sallyport.io/gateway-controller",
    conditions: [{ ...condition, lastTransitionTime: "2026-01-01T00:00:00Z" }],
  };
  await api.send({ method: "POST", path: pathOf(kind), body: { ...object, status: { ancestors: [ancestor] } } });
  const write = async (ancestors: readonly unknown[]): Promise<Readonly<Record<string, unknown>>> =>
    api.send({
      method: "PATCH",
      path: `${pathOf(kind)}/told/status`,
      contentType: "application/merge-patch+json",
      body: { status: { ancestors } },
    });
  const before = await api.send({ method: "GET", path: `${pathOf(kind)}/told` });
  assert.equal(before["status"], undefined, "a status comes by the subresource only");
  const { status } = await write([ancestor]);
  const defaults = { group: "gateway.networking.k8s.io", kind: "Gateway" };
  assert.deepEqual(status, {
    ancestors: [{ ...ancestor, ancestorRef: { ...defaults, ...ancestor.ancestorRef } }],
  });
  await assert.rejects(write(Array.from({ length: 17 }, () => ancestor)), /at most 16 items/);
  assert.match(await server.kubectl(["get", "btp", "told"]), /^NAME +ACCEPTED +AGE\ntold +True /);
});

/** The schema of `spec`, as the CRD has it. */
function readSpecSchema(kind: PolicyKind): ObjectSchema {
  const crd = parse(readFileSync(join(crds, `${GROUP}_${PLURALS[kind]}.yaml`), "utf8")) as {
    readonly spec: { readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: ObjectSchema } }] };
  };
  const spec = crd.spec.versions[0].schema.openAPIV3Schema.properties?.["spec"];
  assert.ok(spec !== undefined);
  return spec;
}
