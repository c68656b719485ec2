// The roles of the chart against the kinds in the code: whoever adds a kind must let the controller read it, and no other.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import type { GeneratedKind } from "../src/kube/generated-kind.ts";
import { kindNames, kinds } from "../src/kube/kinds.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** What is read besides the kinds of the world: where nodes are, how kinds are defined, and what was provisioned. */
const READ_BESIDES = [
  "customresourcedefinitions.apiextensions.k8s.io",
  "nodes.",
  "serviceaccounts.",
  "deployments.apps",
  "horizontalpodautoscalers.autoscaling",
  "poddisruptionbudgets.policy",
];
/** Kinds of the Gateway API that have no status. */
const WITHOUT_STATUS = ["referencegrants.gateway.networking.k8s.io"];

const template = fileURLToPath(new URL("../../charts/sallyport/templates/cluster-role.yaml", import.meta.url));

/** Rules have no template actions in them; the rest of the file is not YAML before it is rendered. */
function readRules(): readonly Rule[] {
  const lines = readFileSync(template, "utf8").split("\n");
  const plain = lines.filter((line) => !line.includes("{{")).join("\n");
  const [role] = parseAllDocuments(plain).map((document) => document.toJS() as { readonly rules: readonly Rule[] });
  return role?.rules ?? [];
}

/** `plural.group` of what a verb is granted on. */
function granted(verb: string): string[] {
  const rules = readRules().filter(({ verbs }) => verbs.includes(verb));
  const found = rules.flatMap(({ apiGroups, resources }) =>
    apiGroups.flatMap((group) => resources.map((resource) => `${resource}.${group}`)),
  );
  return found.toSorted();
}

const definitions: readonly GeneratedKind[] = kindNames.map((name) => kinds[name]);
const isGatewayApi = ({ group }: GeneratedKind): boolean => group.startsWith("gateway.networking.");
const isPolicy = ({ group }: GeneratedKind): boolean => group === "policy.sallyport.io";

for (const verb of ["list", "watch"]) {
  test(`the controller may ${verb} all kinds that it knows, and nothing else`, () => {
    const known = definitions.map(({ plural, group }) => `${plural}.${group}`);
    assert.deepEqual(granted(verb), [...known, ...READ_BESIDES].toSorted());
  });
}

test("it may write the statuses of the Gateway API's kinds, of our policies and of Ingresses, and nothing of a user's beside them", () => {
  const withStatus = definitions.filter((each) => isGatewayApi(each) || isPolicy(each) || each.kind === "Ingress");
  const wanted = withStatus
    .map(({ plural, group }) => ({ object: `${plural}.${group}`, status: `${plural}/status.${group}` }))
    .filter(({ object }) => !WITHOUT_STATUS.includes(object))
    .map(({ status }) => status);
  assert.deepEqual(
    granted("patch").filter((name) => name.includes("/")),
    wanted.toSorted(),
  );
  assert.deepEqual(
    granted("update").filter((name) => !name.includes("/finalizers.")),
    [],
  );
});

test("no rule grants everything", () => {
  for (const rule of readRules()) {
    assert.equal([...rule.apiGroups, ...rule.resources, ...rule.verbs].includes("*"), false);
  }
});
