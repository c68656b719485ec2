import assert from "node:assert/strict";
import { test } from "node:test";
import { format, inspect } from "node:util";
import { SecretValue } from "./secret.ts";

const secret = new SecretValue(Buffer.from("hunter2"));

test("a secret shows itself in no way of printing", () => {
  const holder = { data: { password: secret } };
  const printed = [
    JSON.stringify(holder),
    inspect(holder, { depth: 9, showHidden: true }),
    format("%s %o %O %j", secret, secret, holder, holder),
    String(secret),
    `${secret as unknown as string}`,
    JSON.stringify(Object.entries(secret)),
  ];
  for (const text of printed) {
    assert.doesNotMatch(text, /hunter2|68,? ?75|104,? ?117|aHVudGVy/);
  }
  assert.match(printed[0] ?? "", /\[redacted\]/);
});

test("a secret gives its value to those who ask for it", () => {
  assert.equal(secret.text(), "hunter2");
  assert.equal(secret.length, 7);
  assert.deepEqual([...secret.bytes()], [...Buffer.from("hunter2")]);
});

test("changing the copy does not change the secret", () => {
  secret.bytes().fill(0);
  assert.equal(secret.text(), "hunter2");
});

test("secrets are equal by their bytes", () => {
  assert.ok(secret.equals(new SecretValue(Buffer.from("hunter2"))));
  assert.equal(secret.equals(new SecretValue(Buffer.from("hunter3"))), false);
});
