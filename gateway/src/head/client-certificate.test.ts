import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ClientCertificate } from "../exchange/contract.ts";
import { toClientCertificateLine } from "./client-certificate.ts";

const HASH = "ab".repeat(32);

function toLine(parts: Partial<ClientCertificate> = {}): string {
  return toClientCertificateLine({
    verified: true,
    subject: "CN=client,O=Acme",
    issuer: "CN=authority",
    serialNumber: "01",
    fingerprint: HASH,
    uriNames: [],
    dnsNames: [],
    notAfter: new Date(0),
    ...parts,
  });
}

/** What stands between the name and the end of the line. */
function toValue(parts: Partial<ClientCertificate>): string {
  return /^x-forwarded-client-cert: (.*)\r\n$/s.exec(toLine(parts))?.[1] ?? assert.fail("not one line");
}

test("the keys are Envoy's, one for each name", () => {
  const uriNames = ["spiffe://mesh/ns/a/sa/b", "https://example.com/x?y"];
  assert.equal(
    toValue({ uriNames, dnsNames: ["a.example", "*.b.example"] }),
    `Hash=${HASH};Subject="CN=client,O=Acme";URI=spiffe://mesh/ns/a/sa/b;URI=https://example.com/x?y;DNS=a.example;DNS=*.b.example`,
  );
  assert.equal(toValue({ subject: "" }), `Hash=${HASH};Subject="";URI=`);
});

test("a certificate that proves nothing is not told of", () => {
  assert.equal(toLine({ verified: false }), "");
  assert.equal(toClientCertificateLine(undefined), "");
});

for (const [what, subject, expected] of [
  ["an escaped comma stays", "CN=a\\,b", "CN=a\\,b"],
  ["escaped bytes stay", "CN=\\C3\\A9", "CN=\\C3\\A9"],
  ["an escaped quote", 'CN=a\\",O=b', "CN=a\\22,O=b"],
  ["a quote nobody escaped", 'CN=a";URI=spiffe://admin', "CN=a\\22;URI=spiffe://admin"],
  ["a quote before two digits", 'CN="00', "CN=\\2200"],
  ["a backslash at the end", "CN=a\\", "CN=a\\5C"],
  ["an escaped backslash at the end", "CN=a\\\\", "CN=a\\5C"],
  ["a line break", "CN=a\r\nx-admin: 1", "CN=a\\0D\\0Ax-admin: 1"],
  ["letters beyond ASCII", "CN=é€", "CN=\\C3\\A9\\E2\\82\\AC"],
] as const) {
  test(`in a subject: ${what}`, () => {
    assert.equal(toValue({ subject }), `Hash=${HASH};Subject="${expected}";URI=`);
  });
}

test("in names: what would end the value is quoted, what would end the quotes or the line is escaped", () => {
  const value = toValue({ uriNames: ["spiffe://a,By=b"], dnsNames: ["x;Hash=1", 'q"\\', "ü\r\nz y"] });
  assert.ok(value.endsWith(';URI="spiffe://a,By=b";DNS="x;Hash=1";DNS=q%22%5C;DNS=%C3%BC%0D%0Az%20y'), value);
});

test("whatever stands in a certificate, the header is one line with its own keys and nothing else", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom('"', "\\", ",", ";", "=", "\r", "\n", "URI", "2") }),
  );
  fc.assert(
    fc.property(text, fc.array(text, { maxLength: 3 }), fc.array(text, { maxLength: 3 }), (subject, uris, names) => {
      const value = toValue({ subject, uriNames: uris, dnsNames: names });
      assert.match(value, /^[ -~]*$/);
      // taken apart by a reader that knows quotes and no escapes
      const keys = value.match(/[^;"]*(?:"[^"]*")?(?:;|$)/g)?.map((pair) => pair.split("=", 1)[0] ?? "") ?? [];
      const expected = ["Hash", "Subject", ...uris.map(() => "URI"), ...names.map(() => "DNS")];
      if (uris.length === 0) expected.splice(2, 0, "URI");
      assert.deepEqual(
        keys.filter((key) => key !== ""),
        expected,
      );
      assert.ok(!/\\"/.test(value));
    }),
  );
});
