/** What is done with a TLS connection, by server name: against a slow oracle, and what stays the same object. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Listener } from "@sallyport/model/listener";
import type { Resource } from "@sallyport/model/snapshot";
import type { StreamRoute } from "@sallyport/model/route";
import { TestCompiler, toAuthorities, toListener, toSecret, toStreamRoute } from "../../test/compile/resources.ts";
import type { CompiledTls, CompiledTlsChain, Runtime } from "../router/contract.ts";

const BIND = { bind: { address: "0.0.0.0", port: 8443 }, port: 443 };
type TlsKind = "https" | "tls" | "tls-passthrough";

function toTlsListener(name: string, protocol: TlsKind, changes: Partial<Listener> = {}): Listener {
  const tls = protocol === "tls-passthrough" ? {} : { tls: { certificates: ["ns/cert"] } };
  return toListener(name, { ...BIND, protocol, ...tls, ...changes });
}

function toTlsRoute(name: string, listener: string, hostnames: string[], age = ""): StreamRoute {
  const attachments = [{ listener: `ns/gateway/${listener}`, hostnames }];
  return toStreamRoute(name, ["ns/db:5432"], { key: `TLSRoute/ns/${name}`, age, attachments });
}

function tlsOf(runtime: Runtime): CompiledTls {
  return runtime.binds.get("0.0.0.0:8443")?.tls ?? assert.fail("no TLS port");
}

function toText(chain: CompiledTlsChain | undefined): string {
  if (chain === undefined) return "nobody";
  const { listener, termination, carries, stream } = chain;
  return `${listener.key} ${termination === undefined ? "passed on" : "terminated"} ${carries} ${stream?.key ?? "-"}`;
}

test("kinds of TLS share a port, and each server name goes its own way", () => {
  const runtime = new TestCompiler().activate([
    toSecret("cert", "CERT"),
    toTlsListener("web", "https", { hostname: "web.example" }),
    toTlsListener("db", "tls", { hostname: "*.db.example" }),
    toTlsListener("raw", "tls-passthrough"),
    toTlsRoute("db", "db", ["a.db.example"]),
    toTlsRoute("raw", "raw", ["*.raw.example"]),
  ]);
  const tls = tlsOf(runtime);
  assert.equal(runtime.binds.get("0.0.0.0:8443")?.transport, "tls");
  assert.equal(toText(tls.choose("web.example")), "ns/gateway/web terminated http -");
  assert.equal(toText(tls.choose("a.db.example")), "ns/gateway/db terminated stream TLSRoute/ns/db");
  assert.equal(toText(tls.choose("b.db.example")), "ns/gateway/db terminated stream -");
  assert.equal(toText(tls.choose("x.raw.example")), "ns/gateway/raw passed on stream TLSRoute/ns/raw");
  assert.equal(toText(tls.choose("raw.example")), "ns/gateway/raw passed on stream -");
  assert.equal(toText(tls.choose(undefined)), "ns/gateway/raw passed on stream -");
});

const NAMES = ["*", "a", "*.a", "b.a", "*.b.a", "c.b.a", "x"];
const ASKED = [undefined, "a", "b.a", "z.a", "c.b.a", "z.b.a", "z.z.b.a", "x", "y"];

interface Case {
  readonly listeners: readonly { readonly name: string; readonly hostname: string; readonly protocol: TlsKind }[];
  readonly routes: readonly {
    readonly name: string;
    readonly age: string;
    readonly places: readonly { readonly listener: string; readonly hostnames: readonly string[] }[];
  }[];
}

const LISTENER_NAMES = ["l1", "l2", "l3", "l4"];
const cases: fc.Arbitrary<Case> = fc.record({
  listeners: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom(...LISTENER_NAMES),
      hostname: fc.constantFrom(...NAMES),
      protocol: fc.constantFrom<TlsKind>("https", "tls", "tls-passthrough"),
    }),
    { selector: ({ name }) => name, minLength: 1 },
  ),
  routes: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom("r1", "r2", "r3", "r4", "r5"),
      age: fc.constantFrom("2020", "2021"),
      places: fc.uniqueArray(
        fc.record({
          listener: fc.constantFrom(...LISTENER_NAMES),
          hostnames: fc.uniqueArray(fc.constantFrom(...NAMES)),
        }),
        { selector: ({ listener }) => listener, maxLength: 3 },
      ),
    }),
    { selector: ({ name }) => name },
  ),
});

/** How well a hostname fits; undefined where it does not. */
function toFit(hostname: string, asked: string | undefined): number | undefined {
  if (hostname === "*") return 0;
  if (asked === undefined) return undefined;
  if (hostname === asked) return 1000;
  return hostname.startsWith("*.") && asked.endsWith(hostname.slice(1)) ? hostname.length : undefined;
}

/** The best of all that fit; ties go to what comes first in the order of `key`. */
function findBest<T>(
  items: readonly T[],
  fit: (item: T) => number | undefined,
  key: (item: T) => string,
): T | undefined {
  return items
    .filter((item) => fit(item) !== undefined)
    .sort((one, other) => (fit(other) ?? 0) - (fit(one) ?? 0) || (key(one) < key(other) ? -1 : 1))[0];
}

function expect({ listeners, routes }: Case, asked: string | undefined): string {
  const listener = findBest(
    listeners,
    ({ hostname }) => toFit(hostname, asked),
    ({ name }) => name,
  );
  if (listener === undefined) return "nobody";
  const { name, protocol } = listener;
  const way = protocol === "tls-passthrough" ? "passed on" : "terminated";
  if (protocol === "https") return `ns/gateway/${name} ${way} http -`;
  const offers = routes.flatMap((route) =>
    route.places
      .filter((place) => place.listener === name)
      .flatMap((place) => place.hostnames.map((hostname) => ({ route, hostname }))),
  );
  const offer = findBest(
    offers,
    ({ hostname }) => toFit(hostname, asked),
    ({ route }) => `${route.age} ${route.name}`,
  );
  return `ns/gateway/${name} ${way} stream ${offer === undefined ? "-" : `TLSRoute/ns/${offer.route.name}`}`;
}

test("the most specific listener, then the most specific and oldest route: as a slow search finds them", () => {
  fc.assert(
    fc.property(cases, (each) => {
      const resources: Resource[] = [toSecret("cert", "CERT")];
      for (const { name, hostname, protocol } of each.listeners)
        resources.push(toTlsListener(name, protocol, hostname === "*" ? {} : { hostname }));
      for (const { name, age, places } of each.routes) {
        const attachments = places.map(({ listener, hostnames }) => {
          return { listener: `ns/gateway/${listener}`, hostnames: [...hostnames] };
        });
        resources.push(toStreamRoute(name, [], { key: `TLSRoute/ns/${name}`, age, attachments }));
      }
      const tls = tlsOf(new TestCompiler().activate(resources));
      for (const asked of ASKED) assert.equal(toText(tls.choose(asked)), expect(each, asked), asked);
    }),
    { numRuns: 300 },
  );
});

test("a chain is the same object while listener, termination and route are, over reloads too", () => {
  const compiler = new TestCompiler();
  const base: Resource[] = [
    toSecret("cert", "CERT"),
    toSecret("other", "OTHER"),
    toTlsListener("web", "https", { hostname: "web.example" }),
    toTlsListener("db", "tls", { tls: { certificates: ["ns/other"] } }),
    toTlsRoute("db", "db", ["*.example"]),
  ];
  const first = compiler.activate(base);
  const chains = ["web.example", "a.example", "b.example", "none"].map((name) => tlsOf(first).choose(name));
  assert.equal(chains[1], chains[2], "one chain for all names that go one way");
  assert.notEqual(chains[1], chains[3]);
  const second = compiler.activate([...base, toTlsRoute("more", "db", ["c.example"]), toListener("plain")], first);
  assert.notEqual(tlsOf(second), tlsOf(first));
  for (const [at, name] of ["web.example", "a.example", "b.example", "none"].entries())
    assert.equal(tlsOf(second).choose(name), chains[at], name);
  const third = compiler.activate([...base, toSecret("other", "RENEWED")], second);
  assert.equal(tlsOf(third).choose("web.example"), chains[0], "another listener's certificate changed");
  assert.notEqual(tlsOf(third).choose("a.example")?.termination?.id, chains[1]?.termination?.id);
  assert.equal(tlsOf(third).choose("a.example")?.termination?.sessionContext, chains[1]?.termination?.sessionContext);
});

test("a termination is the same object while its own certificates are", () => {
  const compiler = new TestCompiler();
  const listener = toTlsListener("web", "https", { tls: { certificates: ["ns/cert"] } });
  const first = compiler.activate([listener, toSecret("cert", "CERT"), toSecret("more", "MORE")]);
  const both = { ...listener, tls: { certificates: ["ns/cert", "ns/more"] } };
  const second = compiler.activate([both, ...[...first.snapshot.resources.values()].slice(1)], first);
  assert.equal(tlsOf(second).choose("a")?.termination, tlsOf(first).choose("a")?.termination);
});

test("what clients must prove is part of the session context, and the protocol inside too", () => {
  const validated = (mode: "require" | "optional" | "request", ...authorities: string[]): Partial<Listener> => {
    return { tls: { certificates: ["ns/cert"], clientValidation: { mode, authorities } } };
  };
  const [one, two] = [toAuthorities("one", "ONE"), toAuthorities("two", "TWO")];
  const revoked = toAuthorities("one", "ONE", "LIST");
  const contextOf = (authorities: readonly Resource[], listener: Listener): string | undefined => {
    const runtime = new TestCompiler().activate([toSecret("cert", "CERT"), ...authorities, listener]);
    return tlsOf(runtime).choose("a")?.termination?.sessionContext;
  };
  const key = "ConfigMap/ns/one";
  const contexts = [
    contextOf([], toTlsListener("web", "https")),
    contextOf([], toTlsListener("web", "tls")),
    contextOf([], toTlsListener("other", "https")),
    contextOf([one], toTlsListener("web", "https", validated("require", key))),
    contextOf([one], toTlsListener("web", "https", validated("optional", key))),
    contextOf([one], toTlsListener("web", "https", validated("request", key))),
    contextOf([revoked], toTlsListener("web", "https", validated("require", key))),
    contextOf([one, two], toTlsListener("web", "https", validated("require", key, "ConfigMap/ns/two"))),
  ];
  assert.equal(new Set(contexts).size, contexts.length);
  for (const context of contexts) assert.ok((context?.length ?? 0) > 20 && (context?.length ?? 99) <= 32);
});

test("all that a handshake depends on is told, with defaults", () => {
  const clientValidation = { mode: "require" as const, authorities: ["ConfigMap/ns/one", "ConfigMap/ns/two"] };
  const runtime = new TestCompiler().activate([
    { ...toSecret("cert", "CERT", "KEY"), ocspStaple: Buffer.from("staple").toString("base64") },
    toAuthorities("one", "ONE", "LIST"),
    toAuthorities("two", "TWO"),
    toTlsListener("web", "https", { tls: { certificates: ["ns/cert"], clientValidation, ciphers: ["A"] } }),
    toTlsListener("db", "tls", { hostname: "db", tls: { certificates: ["ns/cert"], minVersion: "1.3" } }),
  ]);
  const { id, sessionContext, ...web } = tlsOf(runtime).choose("web")?.termination ?? assert.fail("not terminated");
  assert.match(`${id} ${sessionContext}`, /^[\w-]{32} [\w-]{32}$/);
  assert.deepEqual(web, {
    certificates: [{ chain: "CERT", key: "KEY", ocspStaple: Buffer.from("staple") }],
    clientValidation: { mode: "require", authorities: ["ONE", "TWO"], revocations: ["LIST"] },
    minVersion: "1.2",
    maxVersion: "1.3",
    ciphers: ["A"],
    applicationProtocols: ["http/1.1"],
  });
  const db = tlsOf(runtime).choose("db")?.termination;
  assert.deepEqual([db?.minVersion, db?.applicationProtocols, db?.clientValidation], ["1.3", [], undefined]);
});

test("nobody comes in where clients cannot be held against their authorities, and no other listener takes the name", () => {
  const missing = { certificates: ["ns/cert"], clientValidation: { mode: "require" as const, authorities: ["gone"] } };
  const none = { certificates: ["ns/cert"], clientValidation: { mode: "optional" as const, authorities: [] } };
  const runtime = new TestCompiler().activate([
    toSecret("cert", "CERT"),
    toTlsListener("all", "https"),
    toTlsListener("missing", "https", { hostname: "missing.example", tls: missing }),
    toTlsListener("none", "https", { hostname: "none.example", tls: none }),
  ]);
  assert.equal(tlsOf(runtime).choose("missing.example"), undefined);
  assert.equal(tlsOf(runtime).choose("none.example"), undefined);
  assert.equal(toText(tlsOf(runtime).choose("other.example")), "ns/gateway/all terminated http -");
});

test("thousands of listeners with certificates parse and hash nothing before a handshake", () => {
  const resources: Resource[] = [];
  let read = 0;
  for (let number = 0; number < 2500; number++) {
    const secret = toSecret(`cert-${number}`, "");
    Object.defineProperty(secret, "certificateChain", { get: () => `CERT ${++read}`, enumerable: true });
    resources.push(secret);
    const tls = { certificates: [`ns/cert-${number}`] };
    resources.push(toTlsListener(`l${number}`, "https", { hostname: `h${number}.example`, tls }));
  }
  const runtime = new TestCompiler().activate(resources);
  assert.equal(read, 0);
  assert.match(tlsOf(runtime).choose("h7.example")?.termination?.certificates[0]?.chain ?? "", /^CERT/);
  assert.ok(read > 0 && read < 5);
});
