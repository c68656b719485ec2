import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Gateway } from "../../kube/generated/types/gateway.ts";
import type { WorldObject } from "../../world/world.ts";
import { findConflicts } from "./conflicts.ts";
import type { GatewayDraft, ListenerDraft, ListenerOwner } from "./gateway-plan.ts";

interface Wish {
  readonly name: string;
  readonly port: number;
  readonly protocol?: "http" | "https" | undefined;
  readonly hostname?: string | undefined;
  readonly broken?: boolean | undefined;
}

function draft(name: string, age: string, wishes: readonly Wish[], address = "0.0.0.0"): GatewayDraft {
  const gateway = { kind: "Gateway", namespace: "shop", name, age, object: {} as Gateway } as WorldObject<"Gateway">;
  return {
    gateway,
    flaws: [],
    unresolved: [],
    remarks: [],
    settings: {},
    backendCertificate: undefined,
    listeners: wishes.map((wish, index) => listener(gateway, wish, { index, address })),
    sets: [],
  };
}

function listener(
  owner: ListenerOwner,
  { name, port, protocol = "http", hostname, broken }: Wish,
  { index, address }: { readonly index: number; readonly address: string },
): ListenerDraft {
  return {
    owner,
    spec: {
      name,
      port,
      protocol: protocol.toUpperCase(),
      ...(hostname === undefined ? {} : { hostname }),
      allowedRoutes: { namespaces: { from: "Same" } },
    },
    path: `spec.listeners[${index}]`,
    protocol,
    hostname,
    tls: undefined,
    kinds: [],
    certificates: [],
    authorities: [],
    flaws: broken === true ? [{ reason: "X", code: "conflict", path: "", message: "" }] : [],
    unresolved: [],
    remarks: [],
    binds: [{ key: name, address, port }],
  };
}

function reasonsOf(...drafts: readonly GatewayDraft[]): Record<string, string> {
  const conflicts = findConflicts(drafts);
  return Object.fromEntries([...conflicts].map(([{ spec }, { reason }]) => [spec.name, reason]));
}

test("listeners of one Gateway that differ by port or hostname live side by side", () => {
  const wishes = [
    { name: "a", port: 1 },
    { name: "b", port: 2 },
    { name: "c", port: 2, hostname: "c.com" },
  ];
  assert.deepEqual(reasonsOf(draft("one", "1", wishes)), {});
});

test("of equal listeners of one Gateway none wins", () => {
  const wishes = [
    { name: "a", port: 1 },
    { name: "b", port: 1 },
    { name: "c", port: 1, hostname: "c.com" },
  ];
  assert.deepEqual(reasonsOf(draft("one", "1", wishes)), { a: "HostnameConflict", b: "HostnameConflict" });
});

test("two protocols on one port of one Gateway leave the port to nobody", () => {
  const wishes = [
    { name: "a", port: 1, hostname: "a.com" },
    { name: "b", port: 1, hostname: "b.com" },
    { name: "c", port: 1, protocol: "https" as const, hostname: "c.com" },
  ];
  const reasons = { a: "ProtocolConflict", b: "ProtocolConflict", c: "ProtocolConflict" };
  assert.deepEqual(reasonsOf(draft("one", "1", wishes)), reasons);
});

test("a listener that is not served for a reason of its own conflicts with nothing", () => {
  const wishes = [
    { name: "a", port: 1 },
    { name: "b", port: 1, broken: true },
  ];
  assert.deepEqual(reasonsOf(draft("one", "1", wishes)), {});
});

test("the older Gateway keeps what both want, and of equal age the one first by name", () => {
  const older = draft("z", "1", [{ name: "old", port: 1 }]);
  const newer = draft("a", "2", [{ name: "new", port: 1 }]);
  const second = draft("b", "2", [{ name: "second", port: 1 }]);
  assert.deepEqual(reasonsOf(second, newer, older), { new: "HostnameConflict", second: "HostnameConflict" });
  assert.deepEqual(reasonsOf(second, newer), { second: "HostnameConflict" });
});

test("the older Gateway's protocol is that of the port", () => {
  const older = draft("a", "1", [{ name: "old", port: 1 }]);
  const newer = draft("b", "2", [{ name: "new", port: 1, protocol: "https", hostname: "b.com" }]);
  assert.deepEqual(reasonsOf(newer, older), { new: "ProtocolConflict" });
});

test("what two listeners of the older Gateway fight over is free for a newer one", () => {
  const older = draft("a", "1", [
    { name: "x", port: 1 },
    { name: "y", port: 1 },
  ]);
  const newer = draft("b", "2", [{ name: "new", port: 1 }]);
  assert.deepEqual(reasonsOf(older, newer), { x: "HostnameConflict", y: "HostnameConflict" });
});

test("a Gateway that is not accepted claims nothing", () => {
  const flaw = { reason: "X", code: "conflict", path: "", message: "" } as const;
  const older = { ...draft("a", "1", [{ name: "old", port: 1 }]), flaws: [flaw] };
  assert.deepEqual(reasonsOf(older, draft("b", "2", [{ name: "new", port: 1 }])), {});
});

test("different addresses keep Gateways apart", () => {
  const one = draft("a", "1", [{ name: "one", port: 1 }], "127.0.0.2");
  const two = draft("b", "2", [{ name: "two", port: 1 }], "127.0.0.3");
  assert.deepEqual(reasonsOf(one, two), {});
});

test("what is left shares no port, host and protocol, in whatever order the Gateways come", () => {
  const wish = fc.record({
    name: fc.uuid(),
    port: fc.constantFrom(1, 2),
    protocol: fc.constantFrom("http" as const, "https" as const),
    hostname: fc.constantFrom(undefined, "a.com", "*.a.com"),
    broken: fc.boolean(),
  });
  const wishes = fc.array(fc.array(wish, { maxLength: 3 }), { maxLength: 4 });
  fc.assert(
    fc.property(wishes, fc.array(fc.constantFrom("1", "2"), { minLength: 4, maxLength: 4 }), (lists, ages) => {
      const drafts = lists.map((list, index) => draft(`gateway-${index}`, ages[index] ?? "1", list));
      const conflicts = findConflicts(drafts);
      assert.deepEqual(reasonsOf(...drafts), reasonsOf(...drafts.toReversed()));
      const left = drafts
        .flatMap(({ listeners }) => listeners)
        .filter((candidate) => candidate.flaws.length === 0 && !conflicts.has(candidate));
      const claims = left.map(({ spec }) => `${spec.port} ${spec.hostname ?? "*"}`);
      assert.equal(new Set(claims).size, claims.length);
      const protocols = new Set(left.map(({ spec }) => `${spec.port} ${spec.protocol}`));
      assert.equal(protocols.size, new Set(left.map(({ spec }) => spec.port)).size);
    }),
  );
});
