import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeResource } from "@sallyport/model/decode";
import fc from "fast-check";
import { anyResource } from "./resource-arbitraries.ts";

test("every resource is decoded as it is", () => {
  fc.assert(
    fc.property(anyResource, (resource) => {
      const wire = JSON.stringify(resource);
      const result = decodeResource(JSON.parse(wire));
      assert.ok(result.ok);
      assert.equal(JSON.stringify(result.value), wire);
    }),
  );
});

test("a resource that lacks a field it must have is refused", () => {
  const optional = new Set(["hostname", "tls"]);
  fc.assert(
    fc.property(anyResource, fc.nat(), (resource, seed) => {
      const names = Object.keys(resource).filter((name) => !optional.has(name));
      const { [names[seed % names.length] ?? ""]: _, ...rest } = resource as Record<string, unknown>;
      assert.equal(decodeResource(rest).ok, false);
    }),
  );
});

test("anything at all is decoded or refused, never thrown at", () => {
  fc.assert(fc.property(fc.anything(), (value) => void decodeResource(value)));
});

const refused: readonly (readonly [what: string, value: unknown, error: RegExp])[] = [
  ["text", "listener", /names none/],
  ["an unknown kind", { kind: "toString" }, /names none/],
  ["a port beyond 65535", endpointSet({ port: 65_536 }), /^endpoints: endpoints\.0\.port must be <= 65535$/],
  ["an unknown state", endpointSet({ state: "sick" }), /^endpoints: endpoints\.0\.state must be equal to one of/],
  ["a negative weight", endpointSet({ weight: -1 }), /weight must be >= 0/],
  ["an unknown discovery", cluster({ discovery: { kind: "guess" } }), /^cluster: discovery value of tag "kind"/],
];

for (const [what, value, error] of refused) {
  test(`${what} is refused with the path of the flaw`, () => {
    const result = decodeResource(value);
    assert.ok(!result.ok);
    assert.match(result.error, error);
  });
}

test("a flawed secret does not show its key in the error", () => {
  const result = decodeResource({ kind: "secret", key: "a/b", certificateChain: 5, privateKey: "hush" });
  assert.ok(!result.ok);
  assert.doesNotMatch(result.error, /hush/);
});

function endpointSet(changes: object): unknown {
  const endpoint = { address: "192.0.2.1", port: 80, weight: 1, state: "ready", ...changes };
  return { kind: "endpoints", key: "a/b:80", endpoints: [endpoint] };
}

function cluster(changes: object): unknown {
  return {
    kind: "cluster",
    key: "a/b:80",
    discovery: { kind: "endpoints" },
    protocol: "http1",
    balancer: { kind: "random" },
    connectTimeout: 1,
    limits: { connections: 1, pending: 1 },
    pool: { idleTimeout: 1, maxLifetime: 0 },
    ...changes,
  };
}
