import assert from "node:assert/strict";
import { test } from "node:test";
import { findIntrusion } from "./guard.ts";

function ask(headers: Readonly<Record<string, string>>, method = "GET", bound = "127.0.0.1"): boolean {
  const request = {
    method,
    path: "/",
    headOnly: false,
    query: new URLSearchParams(),
    header: (name: string) => headers[name],
  };
  return findIntrusion(request, bound) === undefined;
}

test("on loopback only loopback's names are answered to, whatever the port", () => {
  for (const host of ["localhost", "localhost:15000", "LOCALHOST:1", "127.0.0.1:15000", "127.1.2.3", "[::1]:15000"])
    assert.equal(ask({ host }), true, host);
  for (const host of [
    "evil.example",
    "evil.example:15000",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "",
    "::1.evil",
  ])
    assert.equal(ask({ host }), false, host);
  assert.equal(ask({}), false);
  assert.equal(ask({ host: "evil.example" }, "GET", "::1"), false);
});

test("bound elsewhere by the operator's choice, other names are answered to", () => {
  assert.equal(ask({ host: "gw.internal:15000" }, "GET", "0.0.0.0"), true);
});

test("a web page of another origin can neither read nor do anything", () => {
  const host = "localhost:15000";
  assert.equal(ask({ host, origin: "https://evil.example" }, "POST"), false);
  assert.equal(ask({ host, origin: "null" }, "POST"), false);
  assert.equal(ask({ host, origin: "https://evil.example" }), false);
  assert.equal(ask({ host, "sec-fetch-site": "cross-site" }, "POST"), false);
  assert.equal(ask({ host, "sec-fetch-site": "same-site" }, "POST"), false);
  assert.equal(ask({ host, origin: "https://evil.example" }, "POST", "0.0.0.0"), false);
  assert.equal(ask({ host, origin: `http://${host}`, "sec-fetch-site": "same-origin" }, "POST"), true);
  assert.equal(ask({ host, "sec-fetch-site": "none" }, "POST"), true);
  assert.equal(ask({ host }, "POST"), true);
});
