/** CORS: preflights, actual requests, wildcards, credentials and caches. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { CorsPolicy } from "@sallyport/model/policy";
import { TestResponse, toRequest } from "../test/views.ts";
import { compileCors } from "./cors.ts";
import type { LocalReply } from "./filter.ts";

const STRICT: CorsPolicy = {
  kind: "cors",
  allowOrigins: ["https://www.foo.com", "https://*.bar.com"],
  allowMethods: ["GET", "OPTIONS"],
  allowHeaders: ["x-header-1", "x-header-2"],
  exposeHeaders: ["x-header-3", "x-header-4"],
  allowCredentials: true,
  maxAgeSeconds: 3600,
};
const OPEN: CorsPolicy = {
  kind: "cors",
  allowOrigins: ["*"],
  allowMethods: ["*"],
  allowHeaders: ["*"],
  exposeHeaders: [],
  allowCredentials: false,
  maxAgeSeconds: 5,
};
const OPEN_WITH_CREDENTIALS: CorsPolicy = { ...OPEN, allowCredentials: true };
const ASK = {
  "access-control-request-method": "PUT",
  "access-control-request-headers": "x-header-1, Authorization",
};

test("a preflight of an allowed origin is answered with everything the policy allows", () => {
  for (const origin of ["https://www.foo.com", "https://www.bar.com", "https://xpto.www.bar.com"]) {
    const reply = preflight(STRICT, origin);
    assert.equal(reply.status, 204);
    assert.equal(reply.body, "");
    assert.deepEqual(toRecord(reply), {
      "access-control-allow-origin": origin,
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": "x-header-3, x-header-4",
      "access-control-allow-methods": "GET, OPTIONS",
      "access-control-allow-headers": "x-header-1, x-header-2",
      "access-control-max-age": "3600",
      vary: "Origin",
    });
  }
});

test("a preflight of another origin gets an answer that shares nothing", () => {
  for (const origin of ["https://foobar.com", "https://bar.com", "http://www.foo.com", "null"]) {
    assert.deepEqual(toRecord(preflight(STRICT, origin)), { vary: "Origin" });
  }
});

test("everybody may ask without credentials, and gets wildcards or what was asked for", () => {
  assert.deepEqual(toRecord(preflight(OPEN, "https://a.test:12345")), {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "PUT",
    "access-control-allow-headers": "x-header-1, Authorization",
    "access-control-max-age": "5",
    vary: "Access-Control-Request-Method, Access-Control-Request-Headers",
  });
});

test("with credentials wildcards are answered by echoing origin, method and headers", () => {
  assert.deepEqual(toRecord(preflight(OPEN_WITH_CREDENTIALS, "https://other.foo.com")), {
    "access-control-allow-origin": "https://other.foo.com",
    "access-control-allow-credentials": "true",
    "access-control-allow-methods": "PUT",
    "access-control-allow-headers": "x-header-1, Authorization",
    "access-control-max-age": "5",
    vary: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
  });
});

test("only lists of tokens are echoed", () => {
  const filter = compileCors(OPEN_WITH_CREDENTIALS);
  const request = toRequest(
    { method: "OPTIONS" },
    {
      origin: "https://a.test",
      "access-control-request-method": "PUT",
      "access-control-request-headers": "x-a\u00ff, <script>",
    },
  );
  const reply = filter.onRequest?.(request);
  assert.ok(reply !== undefined && !(reply instanceof Promise));
  assert.equal(toRecord(reply)["access-control-allow-headers"], undefined);
});

test("OPTIONS without the preflight fields goes to the upstream", () => {
  const filter = compileCors(STRICT);
  assert.equal(filter.onRequest?.(toRequest({ method: "OPTIONS" }, { origin: "https://www.foo.com" })), undefined);
  assert.equal(
    filter.onRequest?.(toRequest({ method: "OPTIONS" }, { "access-control-request-method": "GET" })),
    undefined,
  );
});

test("an actual request goes on, also one that carries the fields of a preflight", () => {
  assert.equal(
    compileCors(STRICT).onRequest?.(toRequest({ method: "GET" }, { origin: "https://www.foo.com", ...ASK })),
    undefined,
  );
});

test("the response to an allowed origin gets the fields, in place of the upstream's", () => {
  const response = respond(STRICT, "https://www.foo.com", {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "x-internal",
  });
  assert.deepEqual(Object.fromEntries(response.fields), {
    vary: "Origin",
    "access-control-allow-origin": "https://www.foo.com",
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "x-header-3, x-header-4",
  });
});

test("the response to another origin loses what the upstream said about origins", () => {
  const response = respond(STRICT, "https://foobar.com", {
    "access-control-allow-origin": "*",
    "access-control-allow-credentials": "true",
  });
  assert.deepEqual(Object.fromEntries(response.fields), { vary: "Origin" });
});

test("without credentials the upstream cannot allow them", () => {
  const response = respond(OPEN, "https://a.test", { "access-control-allow-credentials": "true" });
  assert.deepEqual(Object.fromEntries(response.fields), { "access-control-allow-origin": "*" });
});

test("a response that depends on the origin says so to caches, also where no origin was sent", () => {
  assert.equal(respond(STRICT, undefined).header("vary"), "Origin");
  assert.equal(respond(OPEN_WITH_CREDENTIALS, "https://a.test").header("vary"), "Origin");
  assert.equal(respond(OPEN, "https://a.test").header("vary"), undefined);
});

test("Vary is joined, and not said twice", () => {
  assert.equal(respond(STRICT, undefined, { vary: "Accept-Encoding" }).header("vary"), "Accept-Encoding,Origin");
  assert.equal(respond(STRICT, undefined, { vary: "accept, origin" }).header("vary"), "accept, origin");
  assert.equal(respond(STRICT, undefined, { vary: "*" }).header("vary"), "*");
  assert.equal(respond(STRICT, undefined, { vary: "X-Origin" }).header("vary"), "X-Origin,Origin");
});

test("an exposed wildcard is left out where credentials make it meaningless", () => {
  const policy: CorsPolicy = { ...OPEN_WITH_CREDENTIALS, exposeHeaders: ["*"] };
  assert.equal(respond(policy, "https://a.test").header("access-control-expose-headers"), undefined);
  assert.equal(
    respond({ ...OPEN, exposeHeaders: ["*"] }, "https://a.test").header("access-control-expose-headers"),
    "*",
  );
});

test("running the response phase on the preflight's own answer changes nothing", () => {
  const filter = compileCors(STRICT);
  const request = toRequest({ method: "OPTIONS" }, { origin: "https://www.foo.com", ...ASK });
  const reply = preflight(STRICT, "https://www.foo.com");
  const response = new TestResponse(toRecord(reply));
  filter.onResponse?.(response, request);
  assert.deepEqual(Object.fromEntries(response.fields), toRecord(reply));
});

function preflight(policy: CorsPolicy, origin: string): LocalReply {
  const reply = compileCors(policy).onRequest?.(toRequest({ method: "OPTIONS" }, { origin, ...ASK }));
  assert.ok(reply !== undefined && !(reply instanceof Promise));
  return reply;
}

function respond(
  policy: CorsPolicy,
  origin: string | undefined,
  fields: Readonly<Record<string, string>> = {},
): TestResponse {
  const response = new TestResponse(fields);
  compileCors(policy).onResponse?.(response, toRequest({}, origin === undefined ? {} : { origin }));
  return response;
}

function toRecord(reply: LocalReply): Record<string, string> {
  return Object.fromEntries(reply.headers);
}
