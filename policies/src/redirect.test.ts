/** Redirects: Location by the rules of the Gateway API for scheme, host, port and path. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { RedirectPolicy } from "@sallyport/model/policy";
import { toRequest, type TestRequest } from "../test/views.ts";
import type { LocalReply } from "./filter.ts";
import { compileRedirect } from "./redirect.ts";

type Options = Partial<Omit<RedirectPolicy, "kind">>;
type Case = readonly [request: Partial<TestRequest>, redirect: Options, location: string];

const CASES: readonly Case[] = [
  [{}, {}, "http://example.com/"],
  [{ path: "/a?b=c" }, { hostname: "example.org" }, "http://example.org/a?b=c"],
  [{ listenerPort: 8080 }, { hostname: "example.org" }, "http://example.org:8080/"],
  [{ listenerPort: 8080 }, { scheme: "http" }, "http://example.com/"],
  [{ listenerPort: 8080 }, { scheme: "https" }, "https://example.com/"],
  [{ listenerPort: 8080 }, { port: 80 }, "http://example.com/"],
  [{ listenerPort: 80 }, { port: 8083 }, "http://example.com:8083/"],
  [{ listenerPort: 80 }, { scheme: "https", port: 80 }, "https://example.com:80/"],
  [{ listenerPort: 80 }, { scheme: "http", port: 443 }, "http://example.com:443/"],
  [{ listenerPort: 443, scheme: "https" }, {}, "https://example.com/"],
  [{ listenerPort: 443, scheme: "https" }, { port: 443 }, "https://example.com/"],
  [{ listenerPort: 443, scheme: "https" }, { port: 80 }, "https://example.com:80/"],
  [{ listenerPort: 443, scheme: "https" }, { scheme: "http" }, "http://example.com/"],
  [{ listenerPort: 8443, scheme: "https" }, {}, "https://example.com:8443/"],
  [{ authority: "example.com:9999", listenerPort: 80 }, {}, "http://example.com/"],
  [{ authority: "[2001:db8::1]", listenerPort: 81 }, {}, "http://[2001:db8::1]:81/"],
  [{ authority: "[2001:db8::1]:80", listenerPort: 81 }, {}, "http://[2001:db8::1]:81/"],
  [{ authority: "", path: "/x" }, { scheme: "https" }, "/x"],
  [{ authority: "", path: "/x" }, { hostname: "example.org" }, "http://example.org/x"],
  [{ path: "*", method: "OPTIONS" }, {}, "http://example.com/"],
  [
    { path: "/original-prefix/lemon?q=1", matchedPrefix: "/original-prefix" },
    { path: { kind: "prefix", value: "/replacement-prefix" } },
    "http://example.com/replacement-prefix/lemon?q=1",
  ],
  [{ path: "/full/path?q=1" }, { path: { kind: "full", value: "/new" } }, "http://example.com/new?q=1"],
];

for (const [properties, options, location] of CASES) {
  test(`${JSON.stringify(properties)} with ${JSON.stringify(options)} is sent to ${location}`, () => {
    const reply = redirect(properties, options);
    assert.deepEqual(reply.headers, [["location", location]]);
    assert.equal(reply.status, 302);
  });
}

for (const status of [301, 302, 303, 307, 308] as const) {
  test(`the status ${status} is the one configured`, () => {
    assert.equal(redirect({}, { status }).status, status);
  });
}

function redirect(properties: Partial<TestRequest>, options: Options): LocalReply {
  const reply = compileRedirect({ kind: "redirect", status: 302, ...options }).onRequest?.(toRequest(properties));
  assert.ok(reply !== undefined && !(reply instanceof Promise));
  return reply;
}
