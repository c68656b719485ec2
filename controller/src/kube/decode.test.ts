import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeObject } from "./decode.ts";
import { formatFieldPath } from "./field-path.ts";
import type { KindMap, KindName } from "./kinds.ts";

type Raw = Record<string, unknown>;

async function decode<K extends KindName>(kind: K, fields: Raw, metadata: Raw = { name: "x" }): Promise<KindMap[K]> {
  const { object, issues } = await decodeObject(kind, { metadata, ...structuredClone(fields) }, "strict");
  assert.deepEqual(issues, []);
  assert.ok(object !== undefined);
  return object;
}

/** Each issue as `path: message; hint`. */
async function complain(kind: KindName, fields: Raw, metadata: Raw = { name: "x" }): Promise<string[]> {
  const { issues } = await decodeObject(kind, { metadata, ...structuredClone(fields) }, "strict");
  return issues.map(({ path, message, hint }) =>
    hint === undefined ? `${formatFieldPath(path)}: ${message}` : `${formatFieldPath(path)}: ${message}; ${hint}`,
  );
}

const listener = { name: "http", port: 80, protocol: "HTTP" };

function gateway(...listeners: readonly Raw[]): Raw {
  return { spec: { gatewayClassName: "sallyport", listeners } };
}

function rule(...rules: readonly Raw[]): Raw {
  return { spec: { rules } };
}

test("a route gets the defaults of the API", async () => {
  const route = await decode("HTTPRoute", {
    spec: { parentRefs: [{ name: "edge" }], rules: [{ backendRefs: [{ name: "shop", port: 80 }] }] },
  });
  assert.deepEqual(route.spec.parentRefs, [{ name: "edge", group: "gateway.networking.k8s.io", kind: "Gateway" }]);
  assert.deepEqual(route.spec.rules, [
    {
      matches: [{ path: { type: "PathPrefix", value: "/" } }],
      backendRefs: [{ name: "shop", port: 80, group: "", kind: "Service", weight: 1 }],
    },
  ]);
});

test("a route without rules gets one that matches everything", async () => {
  const route = await decode("HTTPRoute", { spec: {} });
  assert.deepEqual(route.spec.rules, [{ matches: [{ path: { type: "PathPrefix", value: "/" } }] }]);
});

test("filters and matches get their defaults", async () => {
  const route = await decode(
    "HTTPRoute",
    rule({
      matches: [{ headers: [{ name: "a", value: "b" }] }],
      filters: [{ type: "RequestRedirect", requestRedirect: {} }],
    }),
  );
  const [first] = route.spec.rules;
  assert.deepEqual(first?.matches[0]?.path, { type: "PathPrefix", value: "/" });
  assert.equal(first?.matches[0]?.headers?.[0]?.type, "Exact");
  assert.equal(first?.filters?.[0]?.requestRedirect?.statusCode, 302);
});

test("a gateway gets the defaults of the API", async () => {
  const { spec } = await decode(
    "Gateway",
    gateway({ ...listener, protocol: "HTTPS", tls: { certificateRefs: [{ name: "c" }] } }),
  );
  assert.deepEqual(spec.listeners[0]?.allowedRoutes, { namespaces: { from: "Same" } });
  assert.deepEqual(spec.listeners[0]?.tls, {
    certificateRefs: [{ name: "c", group: "", kind: "Secret" }],
    mode: "Terminate",
  });
});

test("a Service gets the defaults of the API server", async () => {
  const { spec } = await decode("Service", { spec: { ports: [{ port: 80 }] } });
  assert.deepEqual(spec, {
    type: "ClusterIP",
    sessionAffinity: "None",
    ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
  });
});

test("an EndpointSlice gets the defaults of the API server", async () => {
  const slice = await decode("EndpointSlice", {
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.0.0.1"] }],
    ports: [{ port: 80 }],
  });
  assert.deepEqual(slice.ports, [{ port: 80, name: "", protocol: "TCP" }]);
});

test("an object without a namespace is in default, a cluster-scoped one in none", async () => {
  assert.equal((await decode("ConfigMap", {})).metadata.namespace, "default");
  assert.equal((await decode("Namespace", {})).metadata.namespace, "");
  const { issues, object } = await decodeObject("Namespace", { metadata: { name: "x", namespace: "y" } }, "strict");
  assert.equal(object?.metadata.namespace, "");
  assert.deepEqual(
    issues.map(({ severity, path: at }) => `${severity} ${formatFieldPath(at)}`),
    ["warning metadata.namespace"],
  );
});

test("older versions become the form of the newest", async () => {
  const { object } = await decodeObject(
    "ReferenceGrant",
    {
      apiVersion: "gateway.networking.k8s.io/v1beta1",
      metadata: { name: "x" },
      spec: {
        from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "a" }],
        to: [{ group: "", kind: "Service" }],
      },
    },
    "strict",
  );
  assert.equal(object?.apiVersion, "gateway.networking.k8s.io/v1");
});

test("what the server writes is ignored in files", async () => {
  const object = await decode(
    "Gateway",
    { ...gateway(listener), status: { nonsense: true } },
    { name: "x", creationTimestamp: null, managedFields: [{ anything: 1 }], resourceVersion: "7", uid: "u" },
  );
  assert.equal("status" in object, false);
  assert.equal("managedFields" in object.metadata, false);
});

test("a field that is null is as good as absent", async () => {
  const route = await decode("HTTPRoute", { spec: { hostnames: null, rules: [{ matches: null, backendRefs: null }] } });
  assert.deepEqual(route.spec.rules[0]?.matches, [{ path: { type: "PathPrefix", value: "/" } }]);
  assert.equal("hostnames" in route.spec, false);
  assert.deepEqual((await decode("ConfigMap", { data: { empty: null } })).data, { empty: "" });
});

test("an unknown field is an error that suggests the one meant", async () => {
  assert.deepEqual(await complain("HTTPRoute", rule({ backendrefs: [], filter: [] })), [
    'spec.rules[0].backendrefs: unknown field "backendrefs"; did you mean "backendRefs"?',
    'spec.rules[0].filter: unknown field "filter"; did you mean "filters"?',
  ]);
  assert.deepEqual(await complain("Gateway", { ...gateway(listener), specs: {} }), [
    'specs: unknown field "specs"; did you mean "spec"?',
  ]);
  assert.deepEqual(await complain("ConfigMap", {}, { name: "x", nonsense: 1 }).then((all) => all.length), 1);
});

test("an unknown field that resembles none lists what there is", async () => {
  const [complaint] = await complain("ReferenceGrant", { spec: { from: [], to: [], nonsense: 1 } });
  assert.match(complaint ?? "", /spec: needs at least|known fields here: from, to/);
});

test("everything that is wrong is said at once", async () => {
  const complaints = await complain("HTTPRoute", {
    spec: {
      parentRefs: [{}],
      hostnames: ["Upper.example", 7],
      rules: [
        {
          matches: [{ path: { type: "Prefix" }, method: "get" }],
          backendRefs: [{ name: "a", port: "80", weight: -1 }],
        },
      ],
    },
  });
  assert.deepEqual(complaints.toSorted(), [
    'spec.hostnames[0]: "Upper.example" is not a DNS name in lower case, with or without "*." in front',
    'spec.hostnames[1]: must be a string, not a number; put it in quotes: "7"',
    "spec.parentRefs[0].name: name is required",
    "spec.rules[0].backendRefs[0].port: must be an integer, not a string; write it without quotes",
    "spec.rules[0].backendRefs[0].weight: -1 is less than 0",
    'spec.rules[0].matches[0].method: "get" is not one of GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH; did you mean "GET"?',
    'spec.rules[0].matches[0].path.type: "Prefix" is not one of Exact, PathPrefix, RegularExpression; did you mean "PathPrefix"?',
  ]);
});

test("a list that is a text, and a number with decimals, are told so", async () => {
  const spec = { parentRefs: "edge", rules: [{ backendRefs: [{ name: "a", port: 80, weight: 1.5 }] }] };
  assert.deepEqual((await complain("HTTPRoute", { spec })).toSorted(), [
    'spec.parentRefs: must be a list, not a string; start each entry with "- "',
    "spec.rules[0].backendRefs[0].weight: must be an integer, not 1.5",
  ]);
});

test("names follow the rules of their kind", async () => {
  assert.equal((await complain("Service", { spec: { ports: [{ port: 1 }] } }, { name: "1a" })).length, 1);
  assert.equal((await complain("Namespace", {}, { name: "a.b" })).length, 1);
  assert.equal((await complain("ConfigMap", {}, { name: "a.b" })).length, 0);
  assert.equal((await complain("ConfigMap", {}, { name: "A" })).length, 1);
  assert.equal((await complain("ConfigMap", {}, {})).length, 1);
  const { issues } = await decodeObject("ConfigMap", {}, "strict");
  assert.match(issues[0]?.message ?? "", /metadata is required/);
});

test("a label that is no text is shown as it must be written", async () => {
  assert.deepEqual(await complain("ConfigMap", {}, { name: "x", labels: { a: true } }), [
    'metadata.labels.a: must be a string, not a boolean; put it in quotes: "true"',
  ]);
});

test("a Secret's values are decoded, plain ones over encoded ones", async () => {
  const { data } = await decode("Secret", { data: { a: "YWJj", b: "eHg=" }, stringData: { b: "plain" } });
  assert.equal(data["a"]?.text(), "abc");
  assert.equal(data["b"]?.text(), "plain");
});

test("no message shows a value of a Secret", async () => {
  const complaints = await complain("Secret", {
    data: { a: "hunter2!", b: "hunter2", c: 1234567 },
    stringData: { d: 7654321, e: ["hunter2"] },
  });
  assert.equal(complaints.length, 4, complaints.join("\n"));
  assert.doesNotMatch(complaints.join("\n"), /hunter2|1234567|7654321/);
  assert.deepEqual(await complain("Secret", { data: { a: "hunter2" } }), [
    "data.a: must be base64; base64 comes in groups of four characters; use stringData for plain text",
  ]);
});

test("an API server's object may have fields nobody knows: they are removed and counted", async () => {
  const raw = {
    metadata: { name: "x", newField: 1 },
    spec: { gatewayClassName: "c", listeners: [{ ...listener, future: { a: 1 } }], other: 1 },
    status: { conditions: [] },
  };
  const { object, issues, unknownFields } = await decodeObject("Gateway", structuredClone(raw), "lenient");
  assert.deepEqual(issues, []);
  assert.equal(unknownFields, 3);
  assert.equal("future" in (object?.spec.listeners[0] ?? {}), false);
  assert.deepEqual(object?.status, { conditions: [] });
});

test("a list of mistakes is cut where nobody reads on", async () => {
  const started = performance.now();
  const complaints = await complain("HTTPRoute", rule(...Array.from({ length: 5000 }, () => ({ x: 1 }))));
  assert.ok(complaints.length <= 60, String(complaints.length));
  assert.ok(performance.now() - started < 30_000);
});
