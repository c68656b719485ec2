/** Every match and filter of an HTTPRoute, from YAML to what backend and client see. One gateway, one host per case. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { ask, freePort, gatewayYaml, openEcho, routeYaml, serveFiles, serviceYaml } from "./world.ts";
import type { Answer, EchoBackend, Question, ServedDirectory } from "./world.ts";

const BACKENDS = "backendRefs: [{ name: a, port: 80 }]";

/** Host name to the rules of its route. */
const RULES: Readonly<Record<string, string>> = {
  "paths.test": `    - matches: [{ path: { type: Exact, value: /one } }]
      backendRefs: [{ name: b, port: 80 }]
    - matches: [{ path: { type: PathPrefix, value: /v2 } }]
      backendRefs: [{ name: b, port: 80 }]
    - matches: [{ path: { type: RegularExpression, value: "/r[0-9]+/.*" } }]
      backendRefs: [{ name: b, port: 80 }]
    - matches: [{ path: { type: PathPrefix, value: / } }]
      ${BACKENDS}`,
  "conditions.test": `    - matches: [{ method: POST }]
      backendRefs: [{ name: b, port: 80 }]
    - matches: [{ headers: [{ name: X-Version, value: two }] }]
      backendRefs: [{ name: b, port: 80 }]
    - matches: [{ queryParams: [{ name: animal, value: whale }] }]
      backendRefs: [{ name: b, port: 80 }]
    - ${BACKENDS}`,
  "headers.test": `    - filters:
        - type: RequestHeaderModifier
          requestHeaderModifier:
            set: [{ name: X-Set, value: new }]
            add: [{ name: X-Add, value: more }]
            remove: [X-Gone]
        - type: ResponseHeaderModifier
          responseHeaderModifier:
            set: [{ name: X-Backend, value: hidden }]
            add: [{ name: X-Seen, value: "yes" }]
            remove: [X-Drop-Me]
      ${BACKENDS}`,
  "rewrite.test": `    - matches: [{ path: { type: PathPrefix, value: /strip } }]
      filters:
        - type: URLRewrite
          urlRewrite: { hostname: inner.test, path: { type: ReplacePrefixMatch, replacePrefixMatch: / } }
      ${BACKENDS}
    - matches: [{ path: { type: PathPrefix, value: /full } }]
      filters: [{ type: URLRewrite, urlRewrite: { path: { type: ReplaceFullPath, replaceFullPath: /other } } }]
      ${BACKENDS}`,
  "redirect.test": `    - matches: [{ path: { type: PathPrefix, value: /prefix } }]
      filters:
        - type: RequestRedirect
          requestRedirect: { path: { type: ReplacePrefixMatch, replacePrefixMatch: /new }, statusCode: 301 }
    - matches: [{ path: { type: PathPrefix, value: /scheme } }]
      filters: [{ type: RequestRedirect, requestRedirect: { scheme: https, hostname: secure.test } }]`,
  "cors.test": `    - filters:
        - type: CORS
          cors:
            allowOrigins: ["https://*.bar.com"]
            allowMethods: [GET, PUT]
            allowHeaders: [x-token]
            exposeHeaders: [x-backend]
            allowCredentials: true
            maxAge: 600
      ${BACKENDS}`,
  "mirror.test": `    - filters: [{ type: RequestMirror, requestMirror: { backendRef: { name: b, port: 80 } } }]
      ${BACKENDS}`,
  "timeout.test": `    - timeouts: { request: 100ms }
      ${BACKENDS}`,
  "weights.test": `    - backendRefs: [{ name: a, port: 80, weight: 3 }, { name: b, port: 80, weight: 1 }, { name: missing, port: 80, weight: 0 }]`,
  "backend-filter.test": `    - backendRefs:
        - name: a
          port: 80
          filters: [{ type: RequestHeaderModifier, requestHeaderModifier: { set: [{ name: X-For, value: a }] } }]`,
  "broken.test": `    - matches: [{ path: { type: PathPrefix, value: /missing } }]
      backendRefs: [{ name: missing, port: 80 }]
    - matches: [{ path: { type: PathPrefix, value: /none } }]
      backendRefs: []
    - matches: [{ path: { type: PathPrefix, value: /fine } }]
      ${BACKENDS}`,
};

describe("HTTPRoute", () => {
  let a: EchoBackend;
  let b: EchoBackend;
  let served: ServedDirectory;
  let port: number;
  const get = (host: string, path: string, more: Partial<Question> = {}): Promise<Answer> =>
    ask({ port, host, path, ...more });
  const backendOf = async (host: string, path: string, more: Partial<Question> = {}): Promise<string | number> => {
    const answer = await get(host, path, more);
    return answer.echo?.backend ?? answer.status;
  };

  before(async () => {
    [a, b, port] = await Promise.all([openEcho("a"), openEcho("b"), freePort()]);
    const routes = Object.entries(RULES).map(([host, rules]) => routeYaml(host.replace(".test", ""), host, rules));
    const yaml = [
      gatewayYaml([`{ name: http, protocol: HTTP, port: ${port} }`]),
      serviceYaml("a", a.port),
      serviceYaml("b", b.port),
    ];
    served = await serveFiles({ "objects.yaml": [...yaml, ...routes].join("") });
  });
  after(async () => {
    await served?.close();
    await Promise.all([a?.close(), b?.close()]);
  });

  test("paths match exactly, by whole elements of a prefix, or by an anchored expression; the rest falls to /", async () => {
    const wanted = {
      "/one": "b",
      "/one/": "a",
      "/v2": "b",
      "/v2/x?y": "b",
      "/v2example": "a",
      "/r12/x": "b",
      "/xr12/x": "a",
      "/": "a",
    };
    for (const [path, backend] of Object.entries(wanted))
      assert.equal(await backendOf("paths.test", path), backend, path);
    assert.equal(await backendOf("unknown.test", "/"), 404);
  });

  test("method, header and query conditions choose the rule", async () => {
    const host = "conditions.test";
    assert.equal(await backendOf(host, "/"), "a");
    assert.equal(await backendOf(host, "/", { method: "POST", body: "x" }), "b");
    assert.equal(await backendOf(host, "/", { headers: { "x-version": "two" } }), "b");
    assert.equal(await backendOf(host, "/", { headers: { "x-version": "Two" } }), "a");
    assert.equal(await backendOf(host, "/?animal=whale"), "b");
    assert.equal(await backendOf(host, "/?Animal=whale"), "a");
  });

  test("header filters set, add and remove on the way in and out", async () => {
    const headers = { "x-set": "old", "x-add": "some", "X-Gone": "1" };
    const answer = await get("headers.test", "/", { headers });
    assert.equal(answer.echo?.headers["x-set"], "new");
    assert.equal(answer.echo?.headers["x-add"]?.replaceAll(" ", ""), "some,more");
    assert.equal(answer.echo?.headers["x-gone"], undefined);
    assert.equal(answer.headers["x-backend"], "hidden");
    assert.equal(answer.headers["x-seen"], "yes");
    assert.equal(answer.headers["x-drop-me"], undefined);
  });

  test("rewrites change host and path and keep the query", async () => {
    const stripped = await get("rewrite.test", "/strip/a/b?q=1");
    assert.deepEqual([stripped.echo?.url, stripped.echo?.headers["host"]], ["/a/b?q=1", "inner.test"]);
    assert.equal((await get("rewrite.test", "/strip")).echo?.url, "/");
    assert.equal((await get("rewrite.test", "/full/x?q=1")).echo?.url, "/other?q=1");
  });

  test("redirects keep host, port and query where nothing else is asked, and know the default port of a scheme", async () => {
    const prefix = await get("redirect.test", "/prefix/a?q=1");
    assert.deepEqual([prefix.status, prefix.headers.location], [301, `http://redirect.test:${port}/new/a?q=1`]);
    const scheme = await get("redirect.test", "/scheme/a");
    assert.deepEqual([scheme.status, scheme.headers.location], [302, "https://secure.test/scheme/a"]);
  });

  test("CORS answers preflights itself and marks actual responses", async () => {
    const origin = "https://a.b.bar.com";
    const before = a.seen.length;
    const preflight = await get("cors.test", "/", {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "PUT", "access-control-request-headers": "x-token" },
    });
    assert.ok([200, 204].includes(preflight.status));
    assert.equal(preflight.headers["access-control-allow-origin"], origin);
    assert.equal(preflight.headers["access-control-max-age"], "600");
    assert.equal(preflight.headers["access-control-allow-credentials"], "true");
    assert.equal(a.seen.length, before);
    const actual = await get("cors.test", "/", { headers: { origin } });
    assert.equal(actual.headers["access-control-allow-origin"], origin);
    assert.equal(actual.headers["access-control-expose-headers"], "x-backend");
    const other = await get("cors.test", "/", { headers: { origin: "https://evil.com" } });
    assert.deepEqual([other.status, other.headers["access-control-allow-origin"]], [200, undefined]);
  });

  test("a mirror sees the same request, body included, and its answer is not seen", async () => {
    const answer = await get("mirror.test", "/m?x=1", { method: "POST", body: "payload" });
    assert.equal(answer.echo?.backend, "a");
    const copy = await eventually(() => b.seen.find(({ url }) => url === "/m?x=1"), { what: "the mirrored request" });
    assert.deepEqual([copy?.method, copy?.body], ["POST", "payload"]);
  });

  test("a request timeout answers 504", async () => {
    assert.equal((await get("timeout.test", "/?delay=1000")).status, 504);
    assert.equal((await get("timeout.test", "/")).status, 200);
  });

  test("weights share requests exactly over a full round, and weight 0 gets none", async () => {
    const counts = { a: 0, b: 0 };
    for (let i = 0; i < 40; i++) {
      const backend = await backendOf("weights.test", "/");
      assert.ok(backend === "a" || backend === "b", String(backend));
      counts[backend]++;
    }
    assert.deepEqual(counts, { a: 30, b: 10 });
  });

  test("filters of a backend run for that backend", async () => {
    assert.equal((await get("backend-filter.test", "/")).echo?.headers["x-for"], "a");
  });

  test("a rule without a usable backend answers 500 and leaves its siblings alone", async () => {
    assert.equal(await backendOf("broken.test", "/missing"), 500);
    assert.equal(await backendOf("broken.test", "/none"), 500);
    assert.equal(await backendOf("broken.test", "/fine"), "a");
  });
});
