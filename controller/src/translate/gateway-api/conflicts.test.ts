import assert from "node:assert/strict";
import { test } from "node:test";
import type { ListenerProtocol, ProxyProtocolIn } from "@sallyport/model/listener";
import fc from "fast-check";
import type { Gateway } from "../../kube/generated/types/gateway.ts";
import type { WorldObject } from "../../world/world.ts";
import { findConflicts } from "./conflicts.ts";
import type { GatewayDraft, ListenerDraft, ListenerOwner } from "./gateway-plan.ts";

interface Wish {
  readonly name: string;
  readonly port: number;
  readonly protocol?: ListenerProtocol | undefined;
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
    addresses: { binds: [], given: [], flaws: [], missing: [] },
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

function withSet(parent: GatewayDraft, name: string, wishes: readonly Wish[]): GatewayDraft {
  const set = { kind: "ListenerSet", namespace: "team", name, age: "1", object: {} } as WorldObject<"ListenerSet">;
  const listeners = wishes.map((wish, index) => listener(set, wish, { index, address: "0.0.0.0" }));
  return { ...parent, sets: [...parent.sets, { set, flaws: [], listeners }] };
}

function trusting(parent: GatewayDraft, proxyProtocol: ProxyProtocolIn): GatewayDraft {
  return { ...parent, settings: { proxyProtocol } };
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

test("HTTPS and TLS of both modes share a port by hostname, and with nothing else", () => {
  const wishes = [
    { name: "a", port: 1, protocol: "https" as const, hostname: "a.com" },
    { name: "b", port: 1, protocol: "tls" as const, hostname: "b.com" },
    { name: "c", port: 1, protocol: "tls-passthrough" as const, hostname: "c.com" },
    { name: "d", port: 1, protocol: "tls-passthrough" as const, hostname: "b.com" },
    { name: "e", port: 2, protocol: "tls" as const },
    { name: "f", port: 2, protocol: "tcp" as const },
  ];
  const reasons = { b: "HostnameConflict", d: "HostnameConflict", e: "ProtocolConflict", f: "ProtocolConflict" };
  assert.deepEqual(reasonsOf(draft("one", "1", wishes)), reasons);
});

test("TCP listeners share their port with nobody, UDP listeners with none of UDP", () => {
  const wishes = [
    { name: "a", port: 1, protocol: "tcp" as const },
    { name: "b", port: 1, protocol: "tcp" as const },
    { name: "c", port: 1, protocol: "udp" as const },
    { name: "d", port: 2, protocol: "udp" as const },
  ];
  const newer = draft("two", "2", [
    { name: "e", port: 2, protocol: "udp" as const },
    { name: "f", port: 2, protocol: "http" as const },
  ]);
  const reasons = { a: "ProtocolConflict", b: "ProtocolConflict", e: "ProtocolConflict" };
  assert.deepEqual(reasonsOf(draft("one", "1", wishes), newer), reasons);
});

test("a Gateway goes before its sets, sets in their order, and all of them before a newer Gateway", () => {
  const older = draft("old", "1", [{ name: "own", port: 1, hostname: "a.com" }]);
  const first = withSet(older, "first", [
    { name: "lost", port: 1, hostname: "a.com" },
    { name: "won", port: 1, hostname: "b.com" },
  ]);
  const second = withSet(first, "second", [
    { name: "late", port: 1, hostname: "b.com" },
    { name: "free", port: 1, hostname: "c.com" },
  ]);
  const newer = draft("new", "2", [{ name: "newer", port: 1, hostname: "c.com" }]);
  const reasons = { lost: "HostnameConflict", late: "HostnameConflict", newer: "HostnameConflict" };
  assert.deepEqual(reasonsOf(newer, second), reasons);
});

test("of equal listeners of one set none wins, but what the Gateway keeps from one does not cost another", () => {
  const own = draft("one", "1", [{ name: "own", port: 1, hostname: "a.com" }]);
  const parent = withSet(own, "set", [
    { name: "raw", port: 1, protocol: "tcp" },
    { name: "web", port: 1, hostname: "b.com" },
    { name: "x", port: 2 },
    { name: "y", port: 2 },
  ]);
  assert.deepEqual(reasonsOf(parent), { raw: "ProtocolConflict", x: "HostnameConflict", y: "HostnameConflict" });
});

test("a set that is not let in claims nothing", () => {
  const flaw = { reason: "NotAllowed", code: "not-attached", path: "", message: "" } as const;
  const parent = withSet(draft("one", "1", []), "set", [{ name: "web", port: 1 }]);
  const refused = { ...parent, sets: parent.sets.map((set) => ({ ...set, flaws: [flaw] })) };
  assert.deepEqual(reasonsOf(refused, draft("two", "2", [{ name: "other", port: 1 }])), {});
});

test("Gateways that believe different peers' PROXY headers share no port; the order of the peers is no difference", () => {
  const wishes = (name: string): Wish[] => [{ name, port: 1, hostname: `${name}.com` }];
  const older = trusting(draft("a", "1", wishes("old")), { trusted: ["10.0.0.0/8", "192.0.2.1"], required: true });
  const same = trusting(draft("b", "2", wishes("same")), { trusted: ["192.0.2.1", "10.0.0.0/8"], required: true });
  const lax = trusting(draft("c", "3", wishes("lax")), { trusted: ["192.0.2.1", "10.0.0.0/8"], required: false });
  const none = draft("d", "4", wishes("none"));
  assert.deepEqual(reasonsOf(older, same, lax, none), { lax: "ProtocolConflict", none: "ProtocolConflict" });
});

test("what is left shares no port, host and protocol, in whatever order the Gateways come", () => {
  const wish = fc.record({
    name: fc.uuid(),
    port: fc.constantFrom(1, 2),
    protocol: fc.constantFrom<ListenerProtocol[]>("http", "https", "tls", "tls-passthrough", "tcp", "udp"),
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
      const claims = left.map((claim) => `${slotOf(claim)} ${claim.hostname ?? "*"}`);
      assert.equal(new Set(claims).size, claims.length);
      const families = new Set(left.map((claim) => `${slotOf(claim)} ${familyOf(claim)}`));
      assert.equal(families.size, new Set(left.map(slotOf)).size);
      const alone = left.filter(({ protocol }) => protocol === "tcp" || protocol === "udp").map(slotOf);
      for (const slot of alone) assert.equal(left.filter((claim) => slotOf(claim) === slot).length, 1);
    }),
  );
});

function slotOf({ protocol, spec }: ListenerDraft): string {
  return `${protocol === "udp" ? "udp" : "tcp"} ${spec.port}`;
}

function familyOf({ protocol }: ListenerDraft): string {
  return protocol === "https" || protocol === "tls" || protocol === "tls-passthrough" ? "tls" : `${protocol}`;
}
