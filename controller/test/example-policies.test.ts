// The policies in examples/policies are ones that a user could apply as they stand, and show every mechanism.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { decodeObject } from "../src/kube/decode.ts";
import { isRecord } from "../src/kube/field-path.ts";
import { isKindName, kinds } from "../src/kube/kinds.ts";
import { translateWorld } from "../src/translate/run.ts";
import { GATEWAY_CLASS, goldenOptions } from "./golden-world.ts";
import { loadWorld } from "./load-world.ts";

const directory = fileURLToPath(new URL("../../examples/policies/", import.meta.url));
const files = readdirSync(directory).toSorted();

/** Objects of a file. */
function readObjects(file: string): readonly Record<string, unknown>[] {
  return parseAllDocuments(readFileSync(`${directory}${file}`, "utf8")).map((document) => {
    assert.deepEqual(document.errors, [], file);
    const object: unknown = document.toJS();
    assert.ok(isRecord(object), file);
    return object;
  });
}

for (const file of files) {
  test(`examples/policies/${file} is taken as it stands, and begins with what it is for`, async () => {
    assert.match(readFileSync(`${directory}${file}`, "utf8"), /^# [A-Z]/);
    for (const object of readObjects(file)) {
      const kind = String(object["kind"]);
      assert.ok(isKindName(kind) && kinds[kind].group === "policy.sallyport.io", kind);
      assert.equal(object["apiVersion"], "policy.sallyport.io/v1alpha1");
      assert.deepEqual((await decodeObject(kind, object, "strict")).issues, []);
    }
  });
}

test("the examples show every field of backend policies", () => {
  const shown = new Set(files.flatMap(readObjects).flatMap(({ spec }) => Object.keys(isRecord(spec) ? spec : {})));
  const schema: unknown = JSON.parse(
    readFileSync(new URL("../src/kube/generated/schemas/backend-traffic-policy.json", import.meta.url), "utf8"),
  );
  assert.ok(isRecord(schema) && isRecord(schema["$defs"]));
  const spec = schema["$defs"]["BackendTrafficPolicySpec"];
  assert.ok(isRecord(spec) && isRecord(spec["properties"]));
  for (const name of Object.keys(spec["properties"])) assert.ok(shown.has(name), `${name} has no example`);
});

/** What the examples are for. */
const TARGETS = `${GATEWAY_CLASS}---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: web, namespace: shop }
spec:
  gatewayClassName: sallyport
  listeners:
    - { name: http, port: 80, protocol: HTTP }
    - { name: https, port: 81, protocol: HTTP }
    - { name: machines, port: 82, protocol: HTTP }
    - { name: tcp, port: 83, protocol: TCP }
`;
const SERVICES = "cart catalog greeter inventory importer orders payments profile recommendations search".split(" ");
const ROUTES = ["api", "checkout", "uploads"];

test("every example is accepted where its targets are", async () => {
  const targets = writeTargets();
  for (const file of files) {
    const example = readFileSync(`${directory}${file}`, "utf8");
    const { world } = await loadWorld({ "targets.yaml": targets, [file]: example });
    const { statuses, problems } = translateWorld(world, goldenOptions);
    const said = problems.filter(({ source }) => source?.file === file).map(({ message }) => message);
    assert.deepEqual(said, [], file);
    const policies = statuses.filter(({ object }) => object.kind.endsWith("TrafficPolicy"));
    assert.equal(policies.length, readObjects(file).length, `${file}: each has a status`);
    for (const { object, status } of policies)
      assert.match(JSON.stringify(status), /"type":"Accepted","status":"True"/, object.name);
  }
});

function writeTargets(): string {
  const services = SERVICES.map(
    (name) => `
---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop }
spec: { ports: [{ name: grpc, port: 80 }] }
`,
  );
  const backendRefs = SERVICES.map((name) => `{ name: ${name}, port: 80 }`).join(", ");
  const routes = ROUTES.map(
    (name) => `
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name}, namespace: shop }
spec: { parentRefs: [{ name: web }], hostnames: [${name}.example], rules: [{ name: downloads, backendRefs: [${backendRefs}] }] }
`,
  );
  return [TARGETS, ...services, ...routes].join("");
}
