import assert from "node:assert/strict";
import { test } from "node:test";
import { createSelfSigned } from "@sallyport/testkit/certs";
import { SecureContexts } from "./tls-contexts.ts";

test("a context is made once, and the least recently used one goes first", async () => {
  const { cert, key } = await createSelfSigned({ names: ["a.test"] });
  const certificate = (id: string): { chain: string; key: string; id: string } => ({ chain: cert, key, id });
  const contexts = new SecureContexts(2);
  const first = contexts.of(certificate("1"));
  contexts.of(certificate("2"));
  assert.equal(contexts.of(certificate("1")), first);
  contexts.of(certificate("3"));
  assert.equal(contexts.size, 2);
  assert.equal(contexts.of(certificate("1")), first);
});

test("a key that is none throws", async () => {
  const { cert } = await createSelfSigned({ names: ["a.test"] });
  assert.throws(() => new SecureContexts(2).of({ chain: cert, key: "no key", id: "1" }));
});
