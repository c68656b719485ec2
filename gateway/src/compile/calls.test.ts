/** Which rule a gRPC call gets (Gateway API, GRPCRouteRule `matches`), and which a CONNECT. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpMatch } from "@sallyport/model/match";
import type { HttpRule } from "@sallyport/model/route";
import { GRPC_WEB } from "@sallyport/policies/grpc-web";
import { TestCompiler, toCluster, toDestination, toListener, toRoute, toRule } from "../../test/compile/resources.ts";
import { toInput, toMatch } from "../../test/router/inputs.ts";
import type { CompiledRuntime } from "./contract.ts";

/** One rule for each match, named alike; as the translator of GRPCRoutes writes them. */
function toRules(matches: Readonly<Record<string, HttpMatch>>): HttpRule[] {
  return Object.entries(matches).map(([name, match]) => toRule("/", "ns/web:80", { name, matches: [match] }));
}

function toRuntime(rules: HttpRule[], key = "GRPCRoute/ns/calls"): CompiledRuntime {
  return new TestCompiler().activate([toListener("http"), toCluster("ns/web:80"), toRoute("calls", rules, { key })]);
}

function toName(runtime: CompiledRuntime, path: string, headers: Readonly<Record<string, string>> = {}): string {
  return toDestination(runtime, toInput({ method: "POST", path, headers })).split(" ")[1] ?? "";
}

const VERSION = [{ name: "v", kind: "exact", value: "2" }] as const;
const HEADERS = [...VERSION, { name: "w", kind: "exact", value: "2" } as const];
const MATCHES = {
  anything: toMatch({ kind: "prefix", value: "/" }),
  "anything-with-headers": toMatch({ kind: "prefix", value: "/" }, { headers: [...HEADERS] }),
  method: toMatch({ kind: "regex", value: "/[^/]+/Get" }),
  "method-with-header": toMatch({ kind: "regex", value: "/[^/]+/Get" }, { headers: [...VERSION] }),
  service: toMatch({ kind: "prefix", value: "/pkg.Books" }),
  both: toMatch({ kind: "exact", value: "/pkg.Books/Get" }),
};

test("the service comes before the method, the method before headers", () => {
  for (const order of [Object.keys(MATCHES), Object.keys(MATCHES).toReversed()]) {
    const matches = Object.fromEntries(order.map((name) => [name, MATCHES[name as keyof typeof MATCHES]]));
    const runtime = toRuntime(toRules(matches));
    const headers = { v: "2", w: "2" };
    assert.equal(toName(runtime, "/pkg.Books/Get", headers), "GRPCRoute/ns/calls/both");
    assert.equal(toName(runtime, "/pkg.Books/List", headers), "GRPCRoute/ns/calls/service");
    assert.equal(toName(runtime, "/pkg.Shelves/Get", headers), "GRPCRoute/ns/calls/method-with-header");
    assert.equal(toName(runtime, "/pkg.Shelves/Get"), "GRPCRoute/ns/calls/method");
    assert.equal(toName(runtime, "/pkg.Shelves/Gets", headers), "GRPCRoute/ns/calls/anything-with-headers");
    assert.equal(toName(runtime, "/pkg.Shelves/a/Get"), "GRPCRoute/ns/calls/anything");
  }
});

test("of patterns for methods of any service the longer one comes first", () => {
  const short = toMatch({ kind: "regex", value: "/[^/]+/(?:.*)" });
  const long = toMatch({ kind: "regex", value: "/[^/]+/(?:Get.*)" });
  const runtime = toRuntime(toRules({ short, long }));
  assert.equal(toName(runtime, "/a.B/GetX"), "GRPCRoute/ns/calls/long");
  assert.equal(toName(runtime, "/a.B/Put"), "GRPCRoute/ns/calls/short");
});

test("patterns for services and methods are anchored", () => {
  const runtime = toRuntime(toRules({ pattern: toMatch({ kind: "regex", value: "/(?:pkg\\.[A-Z].*)/(?:Get|Put)" }) }));
  assert.equal(toName(runtime, "/pkg.Books/Put"), "GRPCRoute/ns/calls/pattern");
  for (const path of ["/pkg.Books/Puts", "/xpkg.Books/Put", "/pkg.books/Put"])
    assert.equal(toName(runtime, path), "no", path);
});

test("a rule of a GRPCRoute translates gRPC-Web, one of an HTTPRoute does not", () => {
  for (const [key, filters] of [
    ["GRPCRoute/ns/calls", [GRPC_WEB]],
    ["ns/pages", []],
  ] as const) {
    const result = toRuntime(toRules({ anything: MATCHES.anything }), key)
      .binds.get("0.0.0.0:8080")
      ?.route(toInput());
    assert.deepEqual(result?.rule?.filters, filters);
  }
});

test("CONNECT goes only where it is named", () => {
  const plain = toRule("/", "ns/web:80", { name: "plain" });
  const other = toRules({ post: toMatch({ kind: "prefix", value: "/" }, { method: "POST" }) });
  const pattern = toRules({ pattern: toMatch({ kind: "regex", value: ".*" }) });
  const connect = toInput({ method: "CONNECT" });
  const closed = toRuntime([plain, ...other, ...pattern], "ns/tunnels");
  assert.equal(toDestination(closed, connect), "ns/gateway/http no route");
  const named = toRules({
    named: toMatch({ kind: "prefix", value: "/" }, { method: "CONNECT", headers: [...VERSION] }),
  });
  const open = toRuntime([plain, ...other, ...pattern, ...named], "ns/tunnels");
  assert.equal(toDestination(open, connect), "ns/gateway/http no route", "its other conditions count");
  const asked = toInput({ method: "CONNECT", headers: { v: "2" } });
  assert.equal(toDestination(open, asked).split(" ")[1], "ns/tunnels/named");
  assert.equal(toDestination(open, toInput()).split(" ")[1], "ns/tunnels/pattern");
});
