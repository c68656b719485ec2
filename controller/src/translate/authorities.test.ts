import assert from "node:assert/strict";
import { test } from "node:test";
import { loadWorld } from "../../test/load-world.ts";
import { type AuthoritiesRef, resolveAuthorities } from "./authorities.ts";

const certificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
const list = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n";

function toConfigMap(name: string, data: Readonly<Record<string, string>>, namespace = "shop"): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: ${namespace} }\ndata: ${JSON.stringify(data)}\n`;
}

function toSecret(name: string, data: Readonly<Record<string, string>>): string {
  return `apiVersion: v1\nkind: Secret\nmetadata: { name: ${name}, namespace: shop }\nstringData: ${JSON.stringify(data)}\n`;
}

const grant = `apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: { name: authorities, namespace: granting }
spec:
  from: [{ group: gateway.networking.k8s.io, kind: Gateway, namespace: shop }]
  to: [{ group: "", kind: ConfigMap, name: sound }, { group: "", kind: ConfigMap, name: missing }]
`;

const { world, problems } = await loadWorld({
  "world.yaml": [
    toConfigMap("sound", { "ca.crt": certificate + certificate }),
    toConfigMap("revoking", { "ca.crt": certificate, "ca.crl": list }),
    toConfigMap("empty", {}),
    toConfigMap("malformed", { "ca.crt": certificate.replace("MAA=", "AAA=") }),
    toConfigMap("partly", { "ca.crt": certificate + certificate.slice(0, 40) }),
    toConfigMap("with-key", { "ca.crt": certificate + certificate.replaceAll("CERTIFICATE", "PRIVATE KEY") }),
    toConfigMap("bad-list", { "ca.crt": certificate, "ca.crl": certificate }),
    toConfigMap("empty-list", { "ca.crt": certificate, "ca.crl": "" }),
    toConfigMap("sound", { "ca.crt": certificate }, "granting"),
    toConfigMap("other", { "ca.crt": certificate }, "granting"),
    toSecret("sound", { "ca.crt": certificate, "ca.crl": list }),
    grant,
  ].join("---\n"),
});

test("the world of these tests is sound", () => assert.deepEqual(problems, []));

function resolve(ref: Partial<AuthoritiesRef>, kindReason: "InvalidKind" | "InvalidCACertificateKind" = "InvalidKind") {
  return resolveAuthorities(world, {
    from: { group: "gateway.networking.k8s.io", kind: "Gateway", namespace: "shop" },
    ref: { group: "", kind: "ConfigMap", name: "sound", ...ref },
    path: "spec.refs[0]",
    kindReason,
  });
}

test("a ConfigMap is authorities with as many certificates as it holds", () => {
  assert.deepEqual(resolve({}), {
    ok: true,
    value: { kind: "authorities", key: "ConfigMap/shop/sound", certificates: certificate + certificate },
  });
});

test("a Secret of any type is, and revocation lists come along", () => {
  assert.deepEqual(resolve({ kind: "Secret" }), {
    ok: true,
    value: { kind: "authorities", key: "Secret/shop/sound", certificates: certificate, revocations: list },
  });
  assert.equal(resolve({ name: "revoking" }).ok, true);
});

test("another namespace is asked with leave", () => {
  const resolved = resolve({ namespace: "granting" });
  assert.equal(resolved.ok && resolved.value.key, "ConfigMap/granting/sound");
});

const refused: readonly (readonly [what: string, ref: Partial<AuthoritiesRef>, reason: string, message: RegExp])[] = [
  ["what is not there", { name: "sund" }, "InvalidCACertificateRef", /there is no ConfigMap shop\/sund/],
  ["a Secret that is not there", { kind: "Secret", name: "revoking" }, "InvalidCACertificateRef", /there is no Secret/],
  ["an object without the key", { name: "empty" }, "InvalidCACertificateRef", /no key ca\.crt/],
  ["what is no DER", { name: "malformed" }, "InvalidCACertificateRef", /does not hold DER/],
  ["a bundle that is cut off", { name: "partly" }, "InvalidCACertificateRef", /cut off/],
  ["a bundle with a key in it", { name: "with-key" }, "InvalidCACertificateRef", /PRIVATE KEY/],
  ["a certificate for a revocation list", { name: "bad-list" }, "InvalidCACertificateRef", /unusable ca\.crl/],
  ["a revocation list that is empty", { name: "empty-list" }, "InvalidCACertificateRef", /unusable ca\.crl/],
  ["a kind that holds none", { kind: "Service" }, "InvalidKind", /kind Service/],
  ["a kind of another group", { group: "example.com" }, "InvalidKind", /kind ConfigMap \(example\.com\)/],
  ["another namespace without leave", { namespace: "granting", name: "other" }, "RefNotPermitted", /another namespace/],
  ["what is not there, without leave", { namespace: "other", name: "sound" }, "RefNotPermitted", /another namespace/],
  [
    "what is not there, with leave",
    { namespace: "granting", name: "missing" },
    "InvalidCACertificateRef",
    /no ConfigMap/,
  ],
];

for (const [what, ref, reason, message] of refused) {
  test(`${what} is no authorities`, () => {
    const resolved = resolve(ref);
    assert.ok(!resolved.ok);
    assert.equal(resolved.error.reason, reason);
    assert.match(resolved.error.message, message);
    assert.match(resolved.error.path, /^spec\.refs\[0\]\./);
  });
}

test("the API of the referring object says how a wrong kind is called", () => {
  const resolved = resolve({ kind: "Service" }, "InvalidCACertificateKind");
  assert.equal(!resolved.ok && resolved.error.reason, "InvalidCACertificateKind");
});
