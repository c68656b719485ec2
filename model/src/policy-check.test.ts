/** Checks of policies: what could split or confuse a message is named, with its place. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { Policy } from "./policy.ts";
import { checkPolicy, isFieldValue } from "./policy-check.ts";

const FLAWED: readonly (readonly [name: string, policy: Policy, path: string])[] = [
  ["a value with CR LF", toHeaders({ set: [{ name: "x", value: "a\r\nb: c" }] }), "f.set[0].value"],
  ["a value with NUL", toHeaders({ add: [{ name: "x", value: "a\0" }] }), "f.add[0].value"],
  ["a value with a space at its end", toHeaders({ add: [{ name: "x", value: "a " }] }), "f.add[0].value"],
  ["a name with a colon", toHeaders({ set: [{ name: ":path", value: "/" }] }), "f.set[0].name"],
  ["an empty name", toHeaders({ remove: ["ok", ""] }), "f.remove[1]"],
  ["a framing field", toHeaders({ set: [{ name: "Content-Length", value: "0" }] }), "f.set[0].name"],
  ["a framing field to remove", toHeaders({ remove: ["x", "Transfer-Encoding"] }), "f.remove[1]"],
  ["Host", toHeaders({ set: [{ name: "host", value: "a" }] }), "f.set[0].name"],
  ["a redirect host with a path", { kind: "redirect", status: 302, hostname: "a/b" }, "f.hostname"],
  ["a rewrite host with CR", { kind: "rewrite", hostname: "a\r" }, "f.hostname"],
];

for (const [name, policy, path] of FLAWED) {
  test(`${name} is refused where it stands`, () => {
    const problems = checkPolicy(policy, "f");
    assert.deepEqual(
      problems.map((problem) => [problem.severity, problem.path]),
      [["error", path]],
    );
  });
}

test("what may be sent is accepted", () => {
  const set = [
    { name: "X-Header_1", value: 'a\tb; c="d" \u00fc\u20ac' },
    { name: "x-empty", value: "" },
  ];
  assert.deepEqual(checkPolicy(toHeaders({ set, remove: ["server"] }), "f"), []);
  assert.deepEqual(checkPolicy({ kind: "rewrite", hostname: "a.example" }, "f"), []);
  assert.deepEqual(checkPolicy({ kind: "redirect", status: 301, hostname: "[::1]" }, "f"), []);
});

test("every control character but the tab is refused in a value", () => {
  for (let code = 0; code < 0x20; code++) {
    assert.equal(isFieldValue(`a${String.fromCharCode(code)}b`), code === 9, String(code));
  }
  assert.equal(isFieldValue("a\u007fb"), false);
});

function toHeaders(edits: Partial<Omit<Extract<Policy, { kind: "request-headers" }>, "kind">>): Policy {
  return { kind: "request-headers", set: [], add: [], remove: [], ...edits };
}
