/** Statuses of policies: one entry for each ancestor, bounded in number and length. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Flaw } from "../flaw.ts";
import type { WorldObject } from "../../world/world.ts";
import type { AncestorVerdict } from "./policy-status.ts";
import { toConflict, toPolicyTranslation } from "./policy-status.ts";

const policy: WorldObject<"XBackendTrafficPolicy"> = {
  kind: "XBackendTrafficPolicy",
  namespace: "shop",
  name: "budget",
  age: "1",
  object: {
    apiVersion: "gateway.networking.x-k8s.io/v1alpha1",
    kind: "XBackendTrafficPolicy",
    metadata: { namespace: "shop", name: "budget", generation: 3 },
    spec: { targetRefs: [{ group: "", kind: "Service", name: "web" }] },
  },
};
const owner = "XBackendTrafficPolicy shop/budget";

interface Status {
  readonly ancestors: readonly {
    readonly ancestorRef: { readonly kind: string; readonly name: string };
    readonly conditions: readonly { readonly type: string; readonly reason: string; readonly message: string }[];
  }[];
}

function translate(...verdicts: readonly AncestorVerdict[]) {
  const { statuses, problems } = toPolicyTranslation(policy, { controllerName: "us", verdicts, findings: [] });
  // The form is that of PolicyStatus.
  return { status: statuses[0]?.status as Status | undefined, problems };
}

function toVerdict(name: string, parts: Partial<AncestorVerdict> = {}): AncestorVerdict {
  const ref = { group: "gateway.networking.k8s.io", kind: "Gateway", namespace: "shop", name };
  return { ref, flaws: [], fates: [], ...parts };
}

test("a policy that concerns nobody has no status", () => {
  assert.deepEqual(translate(), { status: undefined, problems: [] });
});

test("what several targets say of one Gateway is one entry, and entries are sorted with missing targets last", () => {
  const flaw: Flaw = { reason: "TargetNotFound", code: "unresolved-reference", path: "spec", message: "not there" };
  const missing = { ref: { group: "", kind: "Service", namespace: "shop", name: "a" }, flaws: [flaw], fates: [] };
  const { status } = translate(missing, toVerdict("b"), toVerdict("a"), toVerdict("b"));
  assert.deepEqual(
    status?.ancestors.map(({ ancestorRef }) => ancestorRef.name),
    ["a", "b", "a"],
  );
  assert.equal(status?.ancestors[2]?.ancestorRef.kind, "Service");
});

test("of a value that is left out it is told that the rest is in force, and whose fields win over it; of a lost target neither", () => {
  const value: Flaw = { reason: "Invalid", code: "invalid-value", path: "spec.x", message: "no size" };
  const lost: Flaw = { reason: "Conflicted", code: "conflict", path: "spec.targetRefs[0]", message: "taken" };
  const fates = [{ owner, field: "timeout", by: "HTTPRoute shop/web" }];
  const { status } = translate(
    toVerdict("a", { flaws: [value], fates }),
    toVerdict("b", { flaws: [lost, value], fates }),
  );
  assert.deepEqual(
    status?.ancestors.map(({ conditions }) => conditions.map(({ type, reason, message }) => [type, reason, message])),
    [
      [
        ["Accepted", "Invalid", "spec.x: no size; this is left out, and the rest of the policy is in force"],
        ["Overridden", "Overridden", "timeout everywhere by HTTPRoute shop/web"],
      ],
      [["Accepted", "Invalid", "spec.x: no size; spec.targetRefs[0]: taken"]],
    ],
  );
});

test("there is room for 16 ancestors, and a problem says when it is not enough", () => {
  const { status, problems } = translate(...Array.from({ length: 17 }, (_, index) => toVerdict(`g${index}`)));
  assert.equal(status?.ancestors.length, 16);
  assert.deepEqual(
    problems.map(({ code }) => code),
    ["limit-exceeded"],
  );
});

test("a conflict is told for the Gateway it concerns, and once as a problem", () => {
  const conflict = toConflict("spec.targetRefs[0]", { group: "", kind: "Service", name: "web" }, policy);
  const { status, problems } = translate(toVerdict("a", { flaws: [conflict] }), toVerdict("b", { flaws: [conflict] }));
  for (const { conditions } of status?.ancestors ?? [])
    assert.partialDeepStrictEqual(conditions, [
      { type: "Accepted", status: "False", observedGeneration: 3, reason: "Conflicted" },
    ]);
  assert.equal(problems.length, 1);
});

test("fields that others decide are told with a bound, everywhere or in part", () => {
  const others = Array.from({ length: 9 }, (_, index) => ({ owner, field: "retry", by: `HTTPRoute shop/r${index}` }));
  const part = [
    { owner, field: "timeout", by: owner },
    { owner, field: "timeout", by: "HTTPRoute shop/r1" },
    { owner, field: "dns", by: owner },
  ];
  const { status } = translate(toVerdict("a", { fates: [...others, ...part] }));
  assert.deepEqual(status?.ancestors[0]?.conditions[1], {
    type: "Overridden",
    status: "True",
    observedGeneration: 3,
    reason: "Overridden",
    message:
      "retry everywhere by HTTPRoute shop/r0, HTTPRoute shop/r1, HTTPRoute shop/r2 and 6 more; timeout in part by HTTPRoute shop/r1",
  });
  const fields = Array.from({ length: 40 }, (_, index) => ({ owner, field: `f${index}`, by: "x".repeat(300) }));
  const message = translate(toVerdict("a", { fates: fields })).status?.ancestors[0]?.conditions[1]?.message ?? "";
  assert.ok(message.length < 32_768 && message.endsWith("and 32 more"), message);
});
