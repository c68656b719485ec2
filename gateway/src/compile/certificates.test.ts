/** Which certificates are shown for a name, with real ones: a pair of key types, wildcards, and what cannot be read. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { createAuthority, type CertificateAuthority } from "@sallyport/testkit/certs";
import type { CertificateSecret } from "@sallyport/model/secret";
import { toSecret } from "../../test/compile/resources.ts";
import { chooseCertificates } from "./certificates.ts";

const secrets = new Map<string, CertificateSecret>();

before(async () => {
  const authority: CertificateAuthority = await createAuthority();
  for (const [name, keys, ...names] of [
    ["shop-ec", "ecdsa", "shop.test", "www.shop.test"],
    ["shop-rsa", "rsa", "www.shop.test", "shop.test"],
    ["shop-ec-2", "ecdsa", "shop.test"],
    ["wild-ec", "ecdsa", "*.wild.test"],
    ["wild-rsa", "rsa", "*.wild.test"],
    ["other-rsa", "rsa", "other.test"],
  ] as const) {
    const { cert, key } = await authority.issue({ names, keys });
    secrets.set(name, toSecret(name, cert, key));
  }
  secrets.set("broken", toSecret("broken", "no certificate"));
});

function choose(names: readonly string[], serverName: string | undefined): string {
  const listed = names.map((name) => secrets.get(name) ?? assert.fail(name));
  return chooseCertificates(listed, serverName)
    .map(({ key }) => key.slice("ns/".length))
    .join(" ");
}

test("all certificates that name the server are shown, one of each key type, in the user's order", () => {
  const all = ["other-rsa", "shop-ec", "shop-rsa", "shop-ec-2", "wild-ec"];
  assert.equal(choose(all, "shop.test"), "shop-ec shop-rsa");
  assert.equal(choose(all.toReversed(), "shop.test"), "shop-ec-2 shop-rsa");
  assert.equal(choose(all, "other.test"), "other-rsa");
  assert.equal(choose(all, "a.wild.test"), "wild-ec");
});

test("where none names the server the first is shown, with what stands for the same name", () => {
  assert.equal(choose(["shop-ec", "other-rsa", "shop-rsa"], "unknown.test"), "shop-ec shop-rsa");
  assert.equal(choose(["shop-ec", "other-rsa", "shop-rsa"], undefined), "shop-ec shop-rsa");
  assert.equal(choose(["other-rsa", "shop-ec", "wild-ec"], "unknown.test"), "other-rsa");
  assert.equal(choose(["wild-ec", "shop-rsa", "wild-rsa"], "a.b.wild.test"), "wild-ec wild-rsa");
});

test("a single certificate is shown to everybody, whether it can be read or not", () => {
  assert.equal(choose(["shop-ec"], "unknown.test"), "shop-ec");
  assert.equal(choose(["broken"], "unknown.test"), "broken");
  assert.equal(choose([], "unknown.test"), "");
});

test("what cannot be read names nobody and is no mate", () => {
  assert.equal(choose(["broken", "shop-ec"], "shop.test"), "shop-ec");
  assert.equal(choose(["broken", "shop-ec"], "unknown.test"), "broken");
  assert.equal(choose(["shop-ec", "broken", "shop-rsa"], undefined), "shop-ec shop-rsa");
});

test("names of clients' making are looked up, not believed", () => {
  for (const name of ["", ".", "*", "*.wild.test", ".wild.test", "a\u0000.wild.test", "x".repeat(5000)])
    assert.match(choose(["shop-ec", "wild-ec"], name), /^(?:shop-ec|wild-ec)$/);
});
