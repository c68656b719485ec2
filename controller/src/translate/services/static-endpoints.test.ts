import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseStaticEndpoints } from "./static-endpoints.ts";

const port = { port: 80, targetPort: 0 };

const host = fc.oneof(
  fc.ipV4().map((address) => ({ kind: "address" as const, host: address, text: address })),
  fc.ipV6().map((address) => ({ kind: "address" as const, host: address, text: `[${address}]` })),
  fc
    .constantFrom("backend", "backend.example", "my_app", "a-b.c")
    .map((name) => ({ kind: "name" as const, host: name, text: name })),
);

test("whatever is written as host:port is read as that, with spaces around it", () => {
  const entry = fc.record({ host, port: fc.integer({ min: 1, max: 65_535 }), space: fc.constantFrom("", " ", "\n") });
  const entries = fc.uniqueArray(entry, { minLength: 1, selector: (item) => `${item.host.host} ${item.port}` });
  fc.assert(
    fc.property(entries, (list) => {
      const text = list.map((item) => `${item.space}${item.host.text}:${item.port}${item.space}`).join(",");
      assert.deepEqual(parseStaticEndpoints(text, port), {
        endpoints: list.map((item) => ({ kind: item.host.kind, host: item.host.host, port: item.port })),
        findings: [],
      });
    }),
  );
});

test("every entry is an endpoint or a finding", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 12 }).filter((text) => !text.includes(","))), (list) => {
      const { endpoints, findings } = parseStaticEndpoints(list.join(","), port);
      assert.ok(endpoints.length + findings.length <= Math.max(list.length, 1));
      for (const endpoint of endpoints)
        assert.ok(endpoint.port >= 1 && endpoint.port <= 65_535 && endpoint.host !== "");
    }),
  );
});

test("a host alone has the targetPort, or the Service's port where there is none", () => {
  assert.equal(parseStaticEndpoints("a", { port: 80, targetPort: 9000 }).endpoints[0]?.port, 9000);
  assert.equal(parseStaticEndpoints("a", { port: 80, targetPort: "9000" }).endpoints[0]?.port, 9000);
  assert.equal(parseStaticEndpoints("a", { port: 80, targetPort: 0 }).endpoints[0]?.port, 80);
  assert.equal(parseStaticEndpoints("a", { port: 80, targetPort: "" }).endpoints[0]?.port, 80);
});

test("a repeated endpoint counts once", () => {
  assert.equal(parseStaticEndpoints("a:1,A:1,a:2", port).endpoints.length, 2);
});

test("a finding names the entry by its place and its text", () => {
  assert.match(parseStaticEndpoints("a:1,b:x", port).findings[0]?.message ?? "", /^entry 2 \("b:x"\) is left out: /);
});
