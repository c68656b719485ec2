// The chart as helm understands it: lint, what its templates make of values, and which values it refuses.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { before, test } from "node:test";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { fieldOf } from "../kube-client.ts";
import { buildHelm, CHART } from "./helm.ts";

const run = promisify(execFile);
let helm = "";
before(async () => {
  helm = await buildHelm();
});

/** Everything that the templates make of these values, by kind. */
async function render(...values: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
  const set = values.flatMap((value) => ["--set", value]);
  const { stdout } = await run(helm, ["template", "edge", CHART, "--namespace", "sallyport-system", ...set]);
  const objects: unknown[] = parseAllDocuments(stdout).map((document) => document.toJS() as unknown);
  return new Map(objects.flatMap((object) => (object === null ? [] : [[String(fieldOf(object, "kind")), object]])));
}

test("helm finds nothing to complain about", async () => {
  await run(helm, ["lint", "--strict", CHART]);
});

test("the defaults make a controller with an account, a role, a service and both classes", async () => {
  assert.deepEqual([...(await render()).keys()].toSorted(), [
    "ClusterRole",
    "ClusterRoleBinding",
    "Deployment",
    "GatewayClass",
    "IngressClass",
    "Role",
    "RoleBinding",
    "Service",
    "ServiceAccount",
  ]);
});

test("the controller runs as nobody, on a root that it cannot write, without capabilities", async () => {
  const pod = fieldOf((await render()).get("Deployment"), "spec", "template", "spec");
  assert.equal(fieldOf(pod, "securityContext", "runAsNonRoot"), true);
  assert.equal(fieldOf(pod, "securityContext", "runAsUser"), 65532);
  assert.deepEqual(fieldOf(pod, "containers", 0, "securityContext"), {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  });
});

test("what Services may say of where they are is allowed by values, one by one, and by default nothing is", async () => {
  const args = async (...values: readonly string[]): Promise<unknown> =>
    fieldOf((await render(...values)).get("Deployment"), "spec", "template", "spec", "containers", 0, "args");
  assert.doesNotMatch(JSON.stringify(await args()), /--allow/);
  const names = JSON.stringify(await args("controller.allowExternalNames=true"));
  assert.match(names, /"--allow-external-names"/);
  assert.doesNotMatch(names, /--allow-static/);
  assert.match(JSON.stringify(await args("controller.allowStaticEndpoints=true")), /"--allow-static-endpoints"/);
});

test("several replicas are evicted one by one", async () => {
  assert.equal((await render()).has("PodDisruptionBudget"), false);
  const budget = (await render("controller.replicas=2")).get("PodDisruptionBudget");
  assert.equal(fieldOf(budget, "spec", "maxUnavailable"), 1);
});

test("classes can be left out, and the default class is marked", async () => {
  const without = await render("gatewayClass.enabled=false", "ingressClass.enabled=false");
  assert.equal(without.has("GatewayClass") || without.has("IngressClass"), false);
  const annotation = ["metadata", "annotations", "ingressclass.kubernetes.io/is-default-class"];
  assert.equal(fieldOf((await render("ingressClass.default=true")).get("IngressClass"), ...annotation), "true");
  assert.equal(fieldOf((await render()).get("IngressClass"), ...annotation), undefined);
});

test("a digest wins over a tag, and the proxies get the same image", async () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const deployment = (await render("image.tag=1.2.3", `image.digest=${digest}`)).get("Deployment");
  const container = fieldOf(deployment, "spec", "template", "spec", "containers", 0);
  assert.equal(fieldOf(container, "image"), `ghcr.io/sallyport/sallyport@${digest}`);
  assert.match(JSON.stringify(fieldOf(container, "args")), new RegExp(`sallyport@${digest}`));
});

for (const [values, message] of [
  ["controller.replica=2", /additional properties 'replica' not allowed/],
  ["controller.logLevel=loud", /logLevel/],
  ["controller.allowExternalNames=1", /allowExternalNames/],
  ["image.digest=sha256:abc", /digest/],
  ["gatewayClass.parameters.name=a", /namespace/],
  ["imagePullSecrets[0]=name", /imagePullSecrets/],
] as const) {
  test(`values that say nothing are refused: ${values}`, async () => {
    await assert.rejects(render(values), message);
  });
}
