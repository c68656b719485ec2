// The comparison of roles and requests, which must find a verb too few and a verb too many.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compareRoles, type Role, type SeenRequest } from "./comparison.ts";

const ROLES: readonly Role[] = [
  {
    kind: "ClusterRole",
    rules: [
      { apiGroups: [""], resources: ["secrets"], verbs: ["list", "watch"] },
      { apiGroups: ["gateway.networking.k8s.io"], resources: ["gateways/status"], verbs: ["update"] },
    ],
  },
  {
    kind: "Role",
    namespace: "sallyport-system",
    rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"], resourceNames: ["sallyport-ca"] }],
  },
];

const ASKED: readonly SeenRequest[] = [
  { verb: "list", group: "", resource: "secrets", decision: "allow" },
  { verb: "watch", group: "", resource: "secrets", decision: "allow" },
  {
    verb: "update",
    group: "gateway.networking.k8s.io",
    resource: "gateways/status",
    namespace: "a",
    name: "edge",
    decision: "allow",
  },
  {
    verb: "get",
    group: "",
    resource: "secrets",
    namespace: "sallyport-system",
    name: "sallyport-ca",
    decision: "allow",
  },
];

test("roles that grant what was asked, and nothing else, have no difference", () => {
  assert.deepEqual(compareRoles(ROLES, ASKED), { lacking: [], idle: [] });
});

test("what was granted and never asked is idle", () => {
  const { idle } = compareRoles(ROLES, ASKED.slice(1));
  assert.deepEqual(idle, ["list secrets"]);
});

test("what was asked and not granted is lacking, also where only the name or the namespace differs", () => {
  const { lacking } = compareRoles(ROLES, [
    ...ASKED,
    { verb: "delete", group: "", resource: "secrets", namespace: "a", name: "x", decision: "allow" },
    { verb: "get", group: "", resource: "secrets", namespace: "a", name: "sallyport-ca", decision: "allow" },
    { verb: "get", group: "", resource: "secrets", namespace: "sallyport-system", name: "other", decision: "allow" },
  ]);
  assert.deepEqual(lacking, ["delete secrets in a", "get secrets in a", "get secrets in sallyport-system"]);
});

test("what the server refused is lacking even where the roles seem to grant it", () => {
  const { lacking } = compareRoles(ROLES, [
    ...ASKED,
    { verb: "list", group: "", resource: "secrets", decision: "forbid" },
  ]);
  assert.deepEqual(lacking, ["list secrets"]);
});

test("a wildcard is refused", () => {
  const rules = [{ apiGroups: ["*"], resources: ["secrets"], verbs: ["get"] }];
  assert.throws(() => compareRoles([{ kind: "ClusterRole", rules }], []), /grants "\*"/);
});
