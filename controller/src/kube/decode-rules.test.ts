import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeObject } from "./decode.ts";
import { formatFieldPath } from "./field-path.ts";
import type { KindName } from "./kinds.ts";

type Raw = Record<string, unknown>;

/** Each issue as `path: message`. */
async function complain(kind: KindName, fields: Raw): Promise<string[]> {
  const { issues } = await decodeObject(kind, { metadata: { name: "x" }, ...structuredClone(fields) }, "strict");
  return issues.map(({ path: at, message }) => `${formatFieldPath(at)}: ${message}`);
}

const listener = { name: "http", port: 80, protocol: "HTTP" };

function gateway(...listeners: readonly Raw[]): Raw {
  return { spec: { gatewayClassName: "sallyport", listeners } };
}

function rule(...rules: readonly Raw[]): Raw {
  return { spec: { rules } };
}

function path(value: string, type = "PathPrefix"): Raw {
  return rule({ matches: [{ path: { type, value } }] });
}

const ruleCases: readonly (readonly [name: string, kind: KindName, fields: Raw, complaint: RegExp])[] = [
  ["a path with characters no path has", "HTTPRoute", path("/a b"), /matches\[0\].path: must only contain valid char/],
  ["a path that is not absolute", "HTTPRoute", path("a"), /absolute path/],
  ["a path with an empty segment", "HTTPRoute", path("/a//b"), /must not contain '\/\/'/],
  ["a path that climbs", "HTTPRoute", path("/a/../b", "Exact"), /must not contain '\/..\/'/],
  ["an encoded slash", "HTTPRoute", path("/a%2Fb"), /must not contain '%2F'/],
  [
    "a redirect and a rewrite together",
    "HTTPRoute",
    rule({
      filters: [
        { type: "RequestRedirect", requestRedirect: {} },
        { type: "URLRewrite", urlRewrite: {} },
      ],
    }),
    /rules\[0\].filters: May specify either/,
  ],
  [
    "a redirect with backends",
    "HTTPRoute",
    rule({ filters: [{ type: "RequestRedirect", requestRedirect: {} }], backendRefs: [{ name: "a", port: 80 }] }),
    /rules\[0\]: RequestRedirect filter must not be used together with backendRefs/,
  ],
  [
    "a prefix replaced where several are matched",
    "HTTPRoute",
    rule({
      matches: [{ path: { value: "/a" } }, { path: { value: "/b" } }],
      filters: [{ type: "URLRewrite", urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" } } }],
    }),
    /rules\[0\]: When using URLRewrite filter/,
  ],
  [
    "a filter without its settings",
    "HTTPRoute",
    rule({ filters: [{ type: "CORS" }] }),
    /filter.cors must be specified/,
  ],
  [
    "a backend without port",
    "HTTPRoute",
    rule({ backendRefs: [{ name: "a" }] }),
    /Must have port for Service reference/,
  ],
  [
    "a backend timeout longer than the whole",
    "HTTPRoute",
    rule({ timeouts: { request: "1s", backendRequest: "1500ms" } }),
    /backendRequest timeout cannot be longer/,
  ],
  ["two rules of one name", "HTTPRoute", rule({ name: "a" }, { name: "a" }), /Rule name must be unique/],
  [
    "two headers of one name",
    "HTTPRoute",
    rule({
      matches: [
        {
          headers: [
            { name: "a", value: "1" },
            { name: "a", value: "2" },
          ],
        },
      ],
    }),
    /matches\[0\].headers\[1\]: name must be unique in the list/,
  ],
  [
    "two references to one parent",
    "HTTPRoute",
    { spec: { parentRefs: [{ name: "a" }, { name: "a" }] } },
    /sectionName or port must be unique/,
  ],
  [
    "two listeners of one name",
    "Gateway",
    gateway(listener, { ...listener, port: 81 }),
    /Listener name must be unique/,
  ],
  [
    "two listeners for the same requests",
    "Gateway",
    gateway(listener, { ...listener, name: "b" }),
    /Combination of port, protocol and hostname must be unique/,
  ],
  [
    "an HTTP listener with TLS",
    "Gateway",
    gateway({ ...listener, tls: { certificateRefs: [{ name: "c" }] } }),
    /tls must not be specified for protocols/,
  ],
  [
    "TLS without certificate",
    "Gateway",
    gateway({ ...listener, protocol: "HTTPS", tls: {} }),
    /certificateRefs or options/,
  ],
  [
    "an HTTPS listener that passes TLS through",
    "Gateway",
    gateway({ ...listener, protocol: "HTTPS", tls: { mode: "Passthrough" } }),
    /tls mode must be Terminate for protocol HTTPS/,
  ],
  [
    "an address that is none",
    "Gateway",
    { spec: { ...(gateway(listener)["spec"] as Raw), addresses: [{ value: "10.0.0" }] } },
    /addresses\[0\]: an address of type IPAddress/,
  ],
  ["an external Service without name", "Service", { spec: { type: "ExternalName" } }, /externalName must be set/],
  ["a Service without ports", "Service", { spec: {} }, /ports must be set/],
  ["ports without names", "Service", { spec: { ports: [{ port: 1 }, { port: 2 }] } }, /every port must have a name/],
  [
    "two ports of one name",
    "Service",
    {
      spec: {
        ports: [
          { name: "a", port: 1 },
          { name: "a", port: 2 },
        ],
      },
    },
    /spec.ports\[1\].name: port names must be unique/,
  ],
  [
    "an address of another family",
    "EndpointSlice",
    { addressType: "IPv4", endpoints: [{ addresses: ["::1"] }] },
    /every address must be an IPv4 address/,
  ],
  [
    "a TLS Secret without key",
    "Secret",
    { type: "kubernetes.io/tls", stringData: { "tls.crt": "x" } },
    /tls.crt and tls.key/,
  ],
  [
    "a key in both maps",
    "ConfigMap",
    { data: { a: "x" }, binaryData: { a: "eA==" } },
    /a key must not be in both data and binaryData/,
  ],
];

for (const [name, kind, fields, expected] of ruleCases) {
  test(`refuses ${name}`, async () => {
    const complaints = await complain(kind, fields);
    assert.match(complaints[0] ?? "", expected);
    // Two listeners of one name break a rule and the uniqueness of the list.
    assert.ok(complaints.length <= 2, complaints.join("\n"));
  });
}

test("rules are not tried on what does not have the right shape", async () => {
  assert.deepEqual(
    await complain(
      "Gateway",
      gateway({ name: "a", port: "x", protocol: "HTTP" }, { name: "a", port: 1, protocol: "HTTP" }),
    ),
    ["spec.listeners[0].port: must be an integer, not a string"],
  );
});
