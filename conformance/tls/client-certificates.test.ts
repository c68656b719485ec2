// Certificates that clients must show: who is let in, what backends are told, and that no session goes around the check.
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { connect, type ConnectionOptions } from "node:tls";
import { type CertificateAuthority, type CertifiedKey, createAuthority } from "@sallyport/testkit/certs";
import { freePorts } from "@sallyport/testkit/process";
import { RawUpstream } from "@sallyport/testkit/raw-upstream";
import { fieldValues } from "@sallyport/testkit/strict-http";
import { plain, settles } from "../faults/asking.ts";
import { head } from "../protocol/case.ts";
import { askTls, type TlsOutcome } from "./client.ts";
import { openGateway, type RunningGateway } from "./gateway.ts";
import { authority as authorityObject, GATEWAY_CLASS, gateway, httpRoute, join, secret, service } from "./objects.ts";

type Show = CertifiedKey | undefined;

const YEAR = 365 * 86_400_000;

/** Ports by what they ask for; `a` and `b` name the authority they trust. */
const PORTS = ["required-a", "required-b", "fallback-a", "optional-a"] as const;

describe("client certificates", () => {
  let running: RunningGateway | undefined;
  let upstream: RawUpstream | undefined;
  let server: CertificateAuthority | undefined;
  const numbers = new Map<(typeof PORTS)[number], number>();
  const clients = new Map<string, CertifiedKey>();
  const authorities = new Map<string, CertificateAuthority>();

  before(async () => {
    server = await createAuthority("server authority");
    // one name for both, so that nothing can be told from a name
    const [a, b] = [await createAuthority("clients"), await createAuthority("clients")];
    authorities.set("a", a).set("b", b);
    const names = ["spiffe://test/ns/shop/sa/web", "web.test"];
    clients.set("a", await a.issue({ names, commonName: "web", usage: "client" }));
    clients.set("b", await b.issue({ names, commonName: "web", usage: "client" }));
    clients.set(
      "expired",
      await a.issue({ names, notBefore: new Date(Date.now() - 2 * YEAR), notAfter: new Date(Date.now() - YEAR) }),
    );
    clients.set("revoked", await a.issue({ names, commonName: "gone", usage: "client" }));
    clients.set("server", await a.issue({ names, usage: "server" }));
    upstream = await RawUpstream.open(() => plain());
    const ports = await freePorts(PORTS.length);
    for (const [index, name] of PORTS.entries()) numbers.set(name, ports[index] ?? 0);
    const leaf = await server.issue({ names: ["a.test"] });
    running = await openGateway({
      "gateway.yaml": toGateway(numbers),
      "rest.yaml": join([
        ...PORTS.map((name) => httpRoute(name, name, "backend")),
        service("backend", upstream.port),
        secret("server", leaf),
        authorityObject("b", b.cert),
      ]),
      "a.yaml": authorityObject("a", a.cert),
    });
  });

  after(async () => {
    await running?.stop();
    await upstream?.close();
  });

  function ask(
    port: (typeof PORTS)[number],
    show: Show,
    options: Pick<ConnectionOptions, "minVersion" | "maxVersion" | "session"> = {},
    request?: string,
  ): Promise<TlsOutcome> {
    upstream?.begin(() => plain());
    const target = { port: numbers.get(port) ?? 0, servername: "a.test" };
    return askTls({ ...target, ...show, ...options }, request);
  }

  const forwarded = (): readonly string[] =>
    fieldValues(upstream?.requests[0]?.message.fields ?? [], "x-forwarded-client-cert");

  for (const [port, show, isServed] of [
    ["required-a", "a", true],
    ["required-a", "", false],
    ["required-a", "b", false],
    ["required-a", "expired", false],
    ["required-a", "server", false],
    ["required-b", "b", true],
    ["required-b", "a", false],
    ["fallback-a", "", true],
    ["fallback-a", "a", true],
    ["fallback-a", "b", true],
    ["fallback-a", "expired", true],
    ["optional-a", "", true],
    ["optional-a", "a", true],
    ["optional-a", "b", false],
    ["optional-a", "expired", false],
  ] as const) {
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const what = show === "" ? "no certificate" : `the certificate ${show}`;
      test(`${port}, ${version}: ${what} is ${isServed ? "let in" : "kept out"}`, async () => {
        const outcome = await ask(port, clients.get(show), { minVersion: version, maxVersion: version });
        assert.equal(outcome.status, isServed ? 200 : 0, outcome.error);
        if (!isServed) assert.equal(upstream?.requests.length, 0);
      });
    }
  }

  test("backends are told of a proven certificate, and of nothing that was merely claimed", async () => {
    const spoof = head("GET / HTTP/1.1", "Connection: close", 'X-Forwarded-Client-Cert: Subject="CN=admin"');
    assert.equal((await ask("required-a", clients.get("a"), {}, spoof)).status, 200);
    const [value = "", ...more] = forwarded();
    assert.deepEqual(more, []);
    assert.match(value, /Hash=[0-9a-f]{64}/);
    assert.match(value, /Subject="CN=web"/);
    assert.match(value, /URI=spiffe:\/\/test\/ns\/shop\/sa\/web/);
    assert.match(value, /DNS=web\.test/);
    assert.equal((await ask("fallback-a", clients.get("b"), {}, spoof)).status, 200);
    assert.deepEqual(forwarded(), [], "what is not proven is not passed on");
    assert.equal((await ask("optional-a", undefined, {}, spoof)).status, 200);
    assert.deepEqual(forwarded(), []);
  });

  test("a connection that is open is held to a changed authority", async () => {
    const [a, b] = [authorities.get("a"), authorities.get("b")];
    assert.ok(running !== undefined && a !== undefined && b !== undefined);
    upstream?.begin(() => plain());
    const socket = connect({
      port: numbers.get("required-a") ?? 0,
      host: "127.0.0.1",
      servername: "a.test",
      rejectUnauthorized: false,
      ...clients.get("a"),
    });
    let answers = "";
    socket.on("data", (bytes: Buffer) => {
      answers += bytes.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.write(head("GET / HTTP/1.1"));
    await settles(() => Promise.resolve(assert.match(answers, /^HTTP\/1\.1 200/)));
    await running.change({ "a.yaml": authorityObject("a", b.cert) });
    socket.write(head("GET / HTTP/1.1"));
    await once(socket, "close");
    assert.match(answers, /HTTP\/1\.1 421 /);
    await running.change({ "a.yaml": authorityObject("a", a.cert) });
  });

  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const only = { minVersion: version, maxVersion: version } as const;

    test(`${version}: a session is resumed with its client, and backends are told the same`, async () => {
      const first = await ask("required-a", clients.get("a"), only);
      assert.ok(first.session !== undefined);
      const second = await ask("required-a", clients.get("a"), { ...only, session: first.session });
      assert.equal(second.reused, true);
      assert.equal(second.status, 200);
      assert.match(forwarded()[0] ?? "", /Subject="CN=web"/);
    });

    test(`${version}: a session proven under one authority opens no port that trusts another`, async () => {
      const first = await ask("required-a", clients.get("a"), only);
      assert.ok(first.session !== undefined);
      for (const port of ["required-b", "optional-a", "fallback-a"] as const) {
        const second = await ask(port, undefined, { ...only, session: first.session });
        assert.equal(second.reused, false, port);
        assert.deepEqual(forwarded(), [], port);
      }
      assert.equal((await ask("required-b", undefined, { ...only, session: first.session })).status, 0);
    });

    test(`${version}: a session opens nothing once its certificate is revoked or its authority replaced`, async () => {
      const [a, b] = [authorities.get("a"), authorities.get("b")];
      const revoked = clients.get("revoked");
      assert.ok(a !== undefined && b !== undefined && revoked !== undefined && running !== undefined);
      const first = await ask("required-a", revoked, only);
      assert.equal(first.status, 200);
      assert.ok(first.session !== undefined);
      await running.change({ "a.yaml": authorityObject("a", a.cert, await a.revoke([revoked.cert])) });
      for (const show of [revoked, undefined])
        assert.equal((await ask("required-a", show, { ...only, session: first.session })).status, 0);
      assert.equal((await ask("required-a", clients.get("a"), only)).status, 200, "others are let in");
      const good = await ask("required-a", clients.get("a"), only);
      await running.change({ "a.yaml": authorityObject("a", b.cert) });
      for (const show of [clients.get("a"), undefined])
        assert.equal((await ask("required-a", show, { ...only, session: good.session })).status, 0);
      assert.equal((await ask("required-a", clients.get("b"), only)).status, 200);
      await running.change({ "a.yaml": authorityObject("a", a.cert) });
      assert.equal((await ask("required-a", clients.get("a"), only)).status, 200);
    });
  }
});

function toGateway(numbers: ReadonlyMap<string, number>): string {
  const listener = (name: string, options = ""): string =>
    `{ name: ${name}, port: ${numbers.get(name)}, protocol: HTTPS, tls: { certificateRefs: [{ name: server }]${options} } }`;
  const perPort = (name: string, ca: string, mode: string): string =>
    `        - { port: ${numbers.get(name)}, tls: { validation: { mode: ${mode}, caCertificateRefs: [{ group: "", kind: ConfigMap, name: ${ca} }] } } }`;
  const spec = `  tls:
    frontend:
      default: {}
      perPort:
${[
  perPort("required-a", "a", "AllowValidOnly"),
  perPort("required-b", "b", "AllowValidOnly"),
  perPort("fallback-a", "a", "AllowInsecureFallback"),
  perPort("optional-a", "a", "AllowValidOnly"),
].join("\n")}`;
  const optional = `, options: { "sallyport.io/client-certificate": optional }`;
  return join([
    GATEWAY_CLASS,
    gateway(
      PORTS.map((name) => listener(name, name === "optional-a" ? optional : "")),
      { spec },
    ),
  ]);
}
