/** TLS to endpoints: who is believed, who is not, and that those get nothing to read. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import type { TlsOptions } from "node:tls";
import { createAuthority, createSelfSigned } from "@sallyport/testkit/certs";
import type { UpstreamTlsSettings } from "../../src/cluster/contract.ts";
import { attempt, echo, TlsUpstream } from "./tls-upstream.ts";
import { toTlsSettings } from "./tls-settings.ts";

const authority = await createAuthority("test root");
const stranger = await createAuthority("stranger");
const good = await authority.issue({ names: ["upstream.test"] });
const HOUR = 3_600_000;

const trusting = (changes: Partial<UpstreamTlsSettings> = {}): UpstreamTlsSettings =>
  toTlsSettings({ authorities: [authority.cert], ...changes });

for (const version of ["1.2", "1.3"] as const) {
  for (const ways of ["tuned", "documented"] as const) {
    test(`a verified server is spoken to, and may speak first (TLS ${version}, ${ways} reads)`, async (t) => {
      const upstream = await TlsUpstream.open(t, { ...good, ALPNProtocols: ["h2", "http/1.1"] }, "hello ");
      const made = await attempt(t, upstream.port, trusting({ minVersion: version, maxVersion: version }), { ways });
      assert.equal(made.outcome, "up");
      await echo(made, "ping");
      assert.equal(made.received, "hello ping");
      const [seen] = upstream.seen;
      assert.deepEqual([seen?.serverName, seen?.protocol, seen?.client], ["upstream.test", "http/1.1", ""]);
      assert.equal(seen?.socket.getProtocol(), `TLSv${version}`);
    });
  }
}

test("a server that chooses no protocol is taken at its word, and none is offered where there is none", async (t) => {
  const upstream = await TlsUpstream.open(t, good);
  const made = await attempt(t, upstream.port, trusting(), { applicationProtocols: [] });
  assert.equal(made.outcome, "up");
  await echo(made, "x");
  assert.equal(upstream.seen[0]?.protocol, false);
});

test("a server without HTTP/1.1 is refused", async (t) => {
  const upstream = await TlsUpstream.open(t, { ...good, ALPNProtocols: ["h2"] });
  const made = await attempt(t, upstream.port, trusting());
  assert.equal(made.outcome, "upstream-tls-failure");
  assert.match(made.detail, /speaks no version of HTTP that was offered/);
});

const intermediate = await authority.intermediate("test intermediate");
const below = await intermediate.issue({ names: ["upstream.test"] });
const revoked = await authority.issue({ names: ["upstream.test"] });
const lists = { ofRoot: await authority.revoke([revoked.cert]), ofOther: await stranger.revoke([]) };

interface Refusal {
  readonly what: string;
  readonly server: TlsOptions;
  readonly settings?: Partial<UpstreamTlsSettings>;
  readonly detail: RegExp;
}

const REFUSALS: readonly Refusal[] = [
  {
    what: "for another name",
    server: await authority.issue({ names: ["other.test"] }),
    detail: /does not name upstream/,
  },
  {
    what: "with the name as common name alone",
    server: await authority.issue({ names: [], commonName: "upstream.test" }),
    detail: /does not name upstream/,
  },
  {
    what: "that has expired",
    server: await authority.issue({ names: ["upstream.test"], notAfter: new Date(Date.now() - 1000) }),
    detail: /has expired \(CERT_HAS_EXPIRED\)/,
  },
  {
    what: "that is not valid yet",
    server: await authority.issue({ names: ["upstream.test"], notBefore: new Date(Date.now() + HOUR) }),
    detail: /not valid yet/,
  },
  {
    what: "of an unknown authority",
    server: await stranger.issue({ names: ["upstream.test"] }),
    detail: /authority is not trusted/,
  },
  { what: "that signed itself", server: await createSelfSigned({ names: ["upstream.test"] }), detail: /self-signed/ },
  {
    what: "for clients",
    server: await authority.issue({ names: ["upstream.test"], usage: "client" }),
    detail: /not for servers/,
  },
  { what: "whose intermediate is missing", server: below, detail: /authority is not trusted/ },
  { what: "that is revoked", server: revoked, settings: { revocations: [lists.ofRoot] }, detail: /is revoked/ },
  {
    what: "that is revoked by the second list of a bundle",
    server: revoked,
    settings: { revocations: [`${lists.ofOther}\n${lists.ofRoot}`] },
    detail: /is revoked/,
  },
  {
    what: "of an authority without a revocation list, where there are some",
    server: good,
    settings: { revocations: [lists.ofOther] },
    detail: /no revocation list/,
  },
  {
    what: "of a public authority, where this machine's are trusted,",
    server: good,
    settings: { authorities: undefined },
    detail: /authority is not trusted/,
  },
  {
    what: "without the URI that is wanted",
    server: await authority.issue({ names: ["upstream.test", "spiffe://mesh/other"] }),
    settings: { identities: [{ kind: "uri", uri: "spiffe://mesh/web" }] },
    detail: /does not name spiffe:\/\/mesh\/web/,
  },
  {
    what: "whose wildcard would have to stand for two labels",
    server: await authority.issue({ names: ["*.test"] }),
    settings: { serverName: "a.b.test" },
    detail: /does not name a.b.test/,
  },
  {
    what: "whose wildcard is a part of a label",
    server: await authority.issue({ names: ["up*.example.test"] }),
    settings: { serverName: "upstream.example.test" },
    detail: /does not name/,
  },
  {
    what: "with a wildcard, for a wanted wildcard of another width",
    server: await authority.issue({ names: ["*.b.test"] }),
    settings: { identities: [{ kind: "dns", name: "*.test" }] },
    detail: /does not name/,
  },
  { what: "for anybody, where nobody is named,", server: good, settings: { serverName: "" }, detail: /does not name/ },
];

for (const { what, server, settings, detail } of REFUSALS) {
  for (const version of ["1.2", "1.3"] as const) {
    test(`a certificate ${what} is refused, and its owner gets nothing to read (TLS ${version})`, async (t) => {
      const upstream = await TlsUpstream.open(t, server);
      const made = await attempt(t, upstream.port, trusting({ maxVersion: version, ...settings }));
      assert.equal(made.outcome, "upstream-tls-failure");
      assert.match(made.detail, detail);
      made.upstream.socket.write("GET / HTTP/1.1\r\n\r\n");
      if (!made.upstream.socket.closed) await once(made.upstream.socket, "close");
      assert.equal(upstream.received, "");
      const [warning] = made.warnings;
      assert.deepEqual([warning?.["cluster"], warning?.["reason"]], ["test/main:80", made.detail]);
      assert.notEqual(warning?.["do"], "");
    });
  }
}

interface Acceptance {
  readonly what: string;
  readonly server: TlsOptions;
  readonly settings?: Partial<UpstreamTlsSettings>;
}

const ACCEPTANCES: readonly Acceptance[] = [
  { what: "below an intermediate that comes along", server: { ...below, cert: `${below.cert}${intermediate.cert}` } },
  { what: "of an intermediate that is trusted itself", server: below, settings: { authorities: [intermediate.cert] } },
  { what: "that a list does not name", server: good, settings: { revocations: [lists.ofRoot] } },
  {
    what: "with a URI that is wanted, whatever server name was sent,",
    server: await authority.issue({ names: ["x.test", "spiffe://mesh/web"] }),
    settings: { identities: [{ kind: "uri", uri: "spiffe://mesh/web" }] },
  },
  {
    what: "with any of the names that are wanted",
    server: await authority.issue({ names: ["second.test"] }),
    settings: {
      identities: [
        { kind: "dns", name: "first.test" },
        { kind: "dns", name: "SECOND.test" },
      ],
    },
  },
  {
    what: "with a wildcard for one label",
    server: await authority.issue({ names: ["*.example.test"] }),
    settings: { serverName: "a.example.test" },
  },
  {
    what: "with the wildcard that is wanted",
    server: await authority.issue({ names: ["*.example.test"] }),
    settings: { identities: [{ kind: "dns", name: "*.EXAMPLE.test" }] },
  },
  {
    what: "for an address",
    server: await authority.issue({ names: ["127.0.0.1"] }),
    settings: { serverName: "127.0.0.1" },
  },
];

for (const { what, server, settings } of ACCEPTANCES) {
  test(`a certificate ${what} is accepted`, async (t) => {
    const upstream = await TlsUpstream.open(t, server);
    const made = await attempt(t, upstream.port, trusting(settings));
    assert.deepEqual([made.outcome, made.detail], ["up", ""]);
    await echo(made, "x");
  });
}

test("a client certificate is shown to a server that asks for one", async (t) => {
  const upstream = await TlsUpstream.open(t, { ...good, ca: [authority.cert], requestCert: true });
  const { cert: chain, key } = await authority.issue({ names: [], commonName: "gateway", usage: "client" });
  const made = await attempt(t, upstream.port, trusting({ clientCertificate: { chain, key } }));
  assert.equal(made.outcome, "up");
  await echo(made, "x");
  assert.equal(upstream.seen[0]?.client, "gateway");
});

test("a server that insists on a client certificate fails the handshake without one (TLS 1.2)", async (t) => {
  const upstream = await TlsUpstream.open(t, {
    ...good,
    ca: [authority.cert],
    requestCert: true,
    rejectUnauthorized: true,
    maxVersion: "TLSv1.2",
  });
  const made = await attempt(t, upstream.port, trusting());
  assert.equal(made.outcome, "upstream-tls-failure");
});
