import assert from "node:assert/strict";
import { test } from "node:test";
import { StrictReader } from "@sallyport/testkit/strict-http";
import type { Message } from "@sallyport/testkit/strict-http";
import { catalogue } from "./catalogue.ts";
import { head, ok, passed, refused } from "./case.ts";
import type { Outcome, ProtocolCase } from "./case.ts";
import { judge } from "./judge.ts";
import type { Observation } from "./judge.ts";

const OURS = "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Request-Id: 0123456789abcdef";

function messages(role: "request" | "response", bytes: string): readonly Message[] {
  const reader = new StrictReader({ role });
  reader.push(Buffer.from(bytes, "latin1"));
  assert.equal(reader.problem, undefined);
  return reader.messages;
}

function caseOf(...allow: readonly [Outcome, ...Outcome[]]): ProtocolCase {
  return { id: "x", why: "x", send: [], allow };
}

function seen(changes: Partial<Observation> = {}): Observation {
  return {
    scheme: "http",
    backend: messages("request", head("GET /a HTTP/1.1", OURS)),
    interim: [],
    client: messages("response", ok()),
    after: "open",
    tunnel: { backend: "", client: "" },
    received: ok(),
    reused: false,
    fence: "",
    ...changes,
  };
}

test("an observation that fits one of several outcomes passes", () => {
  assert.deepEqual(judge(caseOf(refused(400), passed({ target: "/a" })), seen(), "sallyport"), []);
});

const wrong: readonly (readonly [string, Outcome, Partial<Observation>])[] = [
  ["another target", passed({ target: "/b" }), {}],
  ["another body", passed({ body: "x" }), {}],
  ["a missing field", passed({ fields: { "x-foo": "a" } }), {}],
  ["a field that must not be there", passed({ fields: { host: null } }), {}],
  [
    "a second request at the backend",
    passed(),
    { backend: messages("request", head("GET /a HTTP/1.1", OURS).repeat(2)) },
  ],
  ["a request where none may arrive", refused(200), { after: "ended" }],
  ["another status", passed({}, { client: [{ status: 204 }] }), {}],
  ["a cut response", passed(), { client: messages("response", ok("hello").slice(0, -1)) }],
  ["a connection that hangs", passed(), { after: "hung" }],
  ["a reused backend connection", passed({}, { backendConnection: "not-reused" }), { reused: true }],
  ["a poisoned next request", passed(), { fence: "answered 200 poison" }],
  ["bytes that are not HTTP at the backend", passed(), { backendProblem: "x" }],
  ["another protocol than expected", passed({}, { received: /^\0/ }), {}],
  ["a tunnel nobody asked for", passed(), { tunnel: { backend: "", client: "x" } }],
  [
    "an interim response too many",
    passed({}, { interim: [] }),
    { interim: messages("response", "HTTP/1.1 103 x\r\n\r\n") },
  ],
  ["a field of the gateway missing", passed(), { backend: messages("request", head("GET /a HTTP/1.1")) }],
  ["a hop-by-hop field", passed(), { backend: messages("request", head("GET /a HTTP/1.1", OURS, "Keep-Alive: 1")) }],
];

for (const [name, outcome, changes] of wrong) {
  test(`${name} is a fault`, () => {
    assert.notDeepEqual(judge(caseOf(outcome), seen(changes), "sallyport"), []);
  });
}

test("a peer is not asked for the fields of Sallyport", () => {
  const observation = seen({ backend: messages("request", head("GET /a HTTP/1.1")) });
  assert.deepEqual(judge(caseOf(passed()), observation, "peer"), []);
});

test("every case has an id of its own and a reason, and there are hundreds", () => {
  assert.ok(catalogue.length > 700);
  assert.equal(new Set(catalogue.map(({ id }) => id)).size, catalogue.length);
  for (const { id, why, allow } of catalogue) {
    assert.match(id, /^[a-z0-9]+([.-]?[a-z0-9_]+)*$/, id);
    assert.ok(why.length > 8, id);
    assert.ok(allow.length > 0, id);
  }
});
