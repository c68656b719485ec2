import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isRecord } from "../kube/field-path.ts";
import { type JsonObject, toObjects } from "../kube/json.ts";
import { mergeStatus, withdrawStatus } from "./merge-status.ts";

const NOW = "2026-11-27T10:00:00Z";
const BEFORE = "2026-11-27T09:00:00Z";
const US = "sallyport.io/gateway-controller";
const MERGE = { controllerName: US, namespace: "team", now: NOW };

function condition(type: string, status = "True", more: JsonObject = {}): JsonObject {
  return { type, status, observedGeneration: 2, reason: "Fine", message: "all is well", ...more };
}

function parent(name: string, controllerName: string, conditions: readonly JsonObject[]): JsonObject {
  const parentRef = { group: "gateway.networking.k8s.io", kind: "Gateway", name };
  return { parentRef, controllerName, conditions };
}

/** The status after the merge patch. */
function apply(live: JsonObject, patch: JsonObject | undefined): JsonObject {
  const merged: Record<string, unknown> = { ...live };
  for (const [field, value] of Object.entries(patch ?? {})) {
    const old = merged[field];
    if (value === null) delete merged[field];
    else merged[field] = isRecord(value) && isRecord(old) ? { ...old, ...value } : value;
  }
  return merged;
}

test("the conditions an API server invents for a new Gateway give way to ours", () => {
  const unknown = { status: "Unknown", reason: "Pending", lastTransitionTime: "1970-01-01T00:00:00Z", message: "" };
  const live = { conditions: ["Accepted", "Programmed"].map((type) => ({ type, ...unknown })) };
  const wanted = { conditions: [condition("Accepted"), condition("Programmed", "False")], listeners: [] };
  assert.deepEqual(mergeStatus("Gateway", live, wanted, MERGE), {
    conditions: [
      condition("Accepted", "True", { lastTransitionTime: NOW }),
      condition("Programmed", "False", { lastTransitionTime: NOW }),
    ],
  });
});

test("a condition keeps its time while its status stays, and conditions of others stay", () => {
  const foreign = {
    type: "example.com/Audited",
    status: "True",
    reason: "Seen",
    message: "",
    lastTransitionTime: BEFORE,
  };
  const live = {
    conditions: [foreign, condition("Accepted", "True", { lastTransitionTime: BEFORE, observedGeneration: 1 })],
  };
  const patch = mergeStatus("Gateway", live, { conditions: [condition("Accepted")] }, MERGE);
  assert.deepEqual(patch, { conditions: [foreign, condition("Accepted", "True", { lastTransitionTime: BEFORE })] });
});

test("a condition of ours that is not wanted any more goes", () => {
  const conditions = [condition("Accepted"), condition("InsecureFrontendValidationMode")];
  const live = { conditions: conditions.map((each) => ({ ...each, lastTransitionTime: BEFORE })) };
  const patch = mergeStatus("Gateway", live, { conditions: [condition("Accepted")] }, MERGE);
  assert.deepEqual(patch, { conditions: [condition("Accepted", "True", { lastTransitionTime: BEFORE })] });
});

test("listeners go with the spec, and addresses and counts that are not wanted are removed", () => {
  const listener = (name: string): JsonObject => ({ name, attachedRoutes: 1, supportedKinds: [], conditions: [] });
  const live = {
    listeners: [listener("old"), listener("web")],
    addresses: [{ value: "10.0.0.1" }],
    attachedListenerSets: 1,
  };
  const patch = mergeStatus("Gateway", live, { conditions: [], listeners: [listener("web")] }, MERGE);
  assert.deepEqual(patch, { listeners: [listener("web")], addresses: null, attachedListenerSets: null });
});

test("a parent that left the spec goes, and another controller's entry stays where and as it is", () => {
  const foreign = parent("theirs", "example.com/other", [{ ...condition("Accepted"), lastTransitionTime: BEFORE }]);
  const live = { parents: [parent("gone", US, []), foreign, parent("kept", US, [])] };
  const wanted = { parents: [parent("new", US, [condition("Accepted")]), parent("kept", US, [condition("Accepted")])] };
  const stamped = condition("Accepted", "True", { lastTransitionTime: NOW });
  assert.deepEqual(mergeStatus("HTTPRoute", live, wanted, MERGE), {
    parents: [foreign, parent("kept", US, [stamped]), parent("new", US, [stamped])],
  });
});

test("entries are the same whether their references write out the namespace or not", () => {
  const spelled = { ...parent("web", US, []), parentRef: { name: "web", namespace: "team" } };
  const timed = condition("Accepted", "True", { lastTransitionTime: BEFORE });
  const live = { parents: [{ ...spelled, conditions: [timed] }] };
  const wanted = { parents: [parent("web", US, [condition("Accepted")])] };
  assert.deepEqual(mergeStatus("HTTPRoute", live, wanted, MERGE), { parents: [parent("web", US, [timed])] });
});

test("a policy has sixteen ancestors at most, and those of others have their room first", () => {
  const ancestor = (name: string, controllerName: string): JsonObject => ({
    ancestorRef: { kind: "Gateway", name },
    controllerName,
    conditions: [],
  });
  const theirs = Array.from({ length: 15 }, (_, index) => ancestor(`g${index}`, "example.com/other"));
  const wanted = { ancestors: [ancestor("one", US), ancestor("two", US)] };
  assert.deepEqual(mergeStatus("BackendTLSPolicy", { ancestors: theirs }, wanted, MERGE), {
    ancestors: [...theirs, ancestor("one", US)],
  });
});

test("the features of a class are written in order", () => {
  const wanted = { conditions: [], supportedFeatures: [{ name: "TLSRoute" }, { name: "Gateway" }] };
  assert.deepEqual(mergeStatus("GatewayClass", {}, wanted, MERGE), {
    supportedFeatures: [{ name: "Gateway" }, { name: "TLSRoute" }],
  });
});

test("an Ingress without an address has an empty load balancer, and nothing is written for that", () => {
  assert.equal(mergeStatus("Ingress", { loadBalancer: {} }, { loadBalancer: {} }, MERGE), undefined);
  const patch = mergeStatus(
    "Ingress",
    { loadBalancer: { ingress: [{ ip: "10.0.0.1" }] } },
    { loadBalancer: {} },
    MERGE,
  );
  assert.deepEqual(patch, { loadBalancer: { ingress: [] } });
});

test("messages and lists never have more than the API allows", () => {
  const theirs = Array.from({ length: 8 }, (_, index) => condition(`example.com/C${index}`));
  const wanted = { conditions: [condition("Accepted", "True", { message: `${"a".repeat(32_764)}\u{1F6A2}bcd` })] };
  const merged = apply({ conditions: theirs }, mergeStatus("Gateway", { conditions: theirs }, wanted, MERGE));
  const conditions = toObjects(merged["conditions"]);
  assert.equal(conditions.length, 8);
  assert.equal(conditions.at(-1)?.["type"], "Accepted");
  assert.equal(conditions.at(-1)?.["message"], `${"a".repeat(32_764)}...`);
});

test("a Gateway that is another's now loses what we wrote, and nothing that was written over it", () => {
  const written = {
    conditions: [condition("Accepted"), condition("Programmed")],
    listeners: [{ name: "web", attachedRoutes: 0, conditions: [condition("Accepted")] }],
    addresses: [{ type: "IPAddress", value: "10.0.0.1" }],
  };
  const theirs = condition("Accepted", "True", { observedGeneration: 3, lastTransitionTime: BEFORE });
  const live = { ...written, conditions: [theirs, condition("Programmed", "True", { lastTransitionTime: BEFORE })] };
  assert.deepEqual(withdrawStatus("Gateway", live, written, MERGE), {
    conditions: [theirs],
    listeners: [],
    addresses: null,
  });
  assert.equal(
    withdrawStatus("Gateway", live, undefined, MERGE),
    undefined,
    "who does not know what he wrote takes nothing",
  );
});

test("a route that left us loses our entries alone", () => {
  const theirs = parent("theirs", "example.com/other", []);
  const patch = withdrawStatus("HTTPRoute", { parents: [parent("ours", US, []), theirs] }, undefined, MERGE);
  assert.deepEqual(patch, { parents: [theirs] });
});

const anyType = fc.constantFrom("Accepted", "ResolvedRefs", "PartiallyInvalid", "example.com/A", "example.com/B");
const anyConditions = fc.uniqueArray(
  fc.record({
    type: anyType,
    status: fc.constantFrom("True", "False", "Unknown"),
    lastTransitionTime: fc.constant(BEFORE),
  }),
  { selector: ({ type }) => type, maxLength: 8 },
);
const anyParents = fc.uniqueArray(
  fc
    .tuple(
      fc.constantFrom("a", "b", "c", "d", "e"),
      fc.constantFrom(US, "example.com/other", "example.org/x"),
      anyConditions,
    )
    .map(([name, controller, conditions]) => parent(name, controller, conditions)),
  { selector: ({ parentRef, controllerName }) => JSON.stringify([parentRef, controllerName]), maxLength: 32 },
);
const ourConditions = fc
  .subarray(["Accepted", "ResolvedRefs", "PartiallyInvalid"])
  .map((types) => types.map((type) => condition(type)));
const ourParents = fc.uniqueArray(
  fc.tuple(fc.constantFrom("a", "b", "c", "d", "e", "f"), ourConditions).map(([name, own]) => parent(name, US, own)),
  { selector: ({ parentRef }) => JSON.stringify(parentRef) },
);

test("merging twice is merging once", () => {
  fc.assert(
    fc.property(anyParents, ourParents, (parents, wanted) => {
      const after = apply({ parents }, mergeStatus("HTTPRoute", { parents }, { parents: wanted }, MERGE));
      const later = { ...MERGE, now: "2026-11-27T11:00:00Z" };
      assert.equal(mergeStatus("HTTPRoute", after, { parents: wanted }, later), undefined);
    }),
  );
});

test("what others wrote is byte for byte what it was, in the order it was", () => {
  fc.assert(
    fc.property(anyParents, ourParents, (parents, wanted) => {
      const after = apply({ parents }, mergeStatus("HTTPRoute", { parents }, { parents: wanted }, MERGE));
      const others = (list: unknown): string =>
        JSON.stringify(toObjects(list).filter((entry) => entry["controllerName"] !== US));
      assert.equal(others(after["parents"]), others(parents));
    }),
  );
});

test("the order in which statuses are wanted does not matter to entries that are there", () => {
  fc.assert(
    fc.property(anyParents, ourParents, (parents, wanted) => {
      const after = apply({ parents }, mergeStatus("HTTPRoute", { parents }, { parents: wanted }, MERGE));
      assert.equal(mergeStatus("HTTPRoute", after, { parents: wanted.toReversed() }, MERGE), undefined);
    }),
  );
});

test("conditions of types that are not ours survive whatever is wanted", () => {
  fc.assert(
    fc.property(anyConditions, ourConditions, (conditions, wanted) => {
      const after = apply({ conditions }, mergeStatus("Gateway", { conditions }, { conditions: wanted }, MERGE));
      const foreign = (list: unknown): string =>
        JSON.stringify(toObjects(list).filter(({ type }) => String(type).startsWith("example.com/")));
      assert.equal(foreign(after["conditions"]), foreign(conditions));
    }),
  );
});
