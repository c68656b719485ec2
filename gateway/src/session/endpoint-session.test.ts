import assert from "node:assert/strict";
import { test } from "node:test";
import { hashAddress } from "./address-hash.ts";
import { toClusterMark, toEndpointSession } from "./endpoint-session.ts";

test("a name is that of one endpoint of one cluster, and does not show its address", () => {
  const one = toEndpointSession("shop/web:80", "10.0.0.1:80");
  assert.match(one, /^[0-9a-f]{16}$/);
  assert.notEqual(one, toEndpointSession("shop/web:80", "10.0.0.2:80"));
  assert.notEqual(one, toEndpointSession("shop/api:80", "10.0.0.1:80"));
});

test("it outlives a change of policy", () => {
  const variant = "shop/web:80~traffic=abc";
  assert.equal(toEndpointSession(variant, "10.0.0.1:80"), toEndpointSession("shop/web:80", "10.0.0.1:80"));
  assert.equal(toClusterMark(variant), toClusterMark("shop/web:80"));
  assert.notEqual(toClusterMark("shop/web:80"), toClusterMark("shop/web:81"));
});

test("names stay what they are from release to release", () => {
  assert.equal(toEndpointSession("shop/web:80", "10.0.0.1:80"), "48405e5548291710");
  assert.equal(toClusterMark("shop/web:80"), "7bccc0db");
});

test("who has nothing but an address is hashed by it, where the keys name it", () => {
  const keys = [{ kind: "header", name: "x" }, { kind: "source-address" }] as const;
  assert.equal(hashAddress(keys, "10.0.0.1"), hashAddress([{ kind: "source-address" }], "10.0.0.1"));
  assert.notEqual(hashAddress(keys, "10.0.0.1"), hashAddress(keys, "10.0.0.2"));
  assert.equal(hashAddress([{ kind: "header", name: "x" }], "10.0.0.1"), undefined);
});
