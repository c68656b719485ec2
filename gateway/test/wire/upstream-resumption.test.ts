/** Sessions with endpoints: resumed under the settings they were made under, and under no others. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { createAuthority } from "@sallyport/testkit/certs";
import type { UpstreamTlsSettings } from "../../src/cluster/contract.ts";
import { attempt, echo, TlsUpstream, type Attempt } from "./tls-upstream.ts";
import { toTlsSettings } from "./tls-settings.ts";

const authority = await createAuthority("test root");
const stranger = await createAuthority("stranger");
const certificate = await authority.issue({ names: ["a.test", "b.test"] });
const VERSIONS = ["1.2", "1.3"] as const;

const trusting = (changes: Partial<UpstreamTlsSettings>): UpstreamTlsSettings =>
  toTlsSettings({ authorities: [authority.cert], serverName: "a.test", ...changes });

/** Behind an echo the tickets of the server have come. */
async function talk(made: Attempt): Promise<void> {
  assert.deepEqual([made.outcome, made.detail], ["up", ""]);
  await echo(made, "x");
}

for (const maxVersion of VERSIONS) {
  test(`a session is resumed under the same settings (TLS ${maxVersion})`, async (t) => {
    const upstream = await TlsUpstream.open(t, certificate);
    const settings = trusting({ maxVersion });
    for (let i = 0; i < 4; i++) await talk(await attempt(t, upstream.port, settings));
    assert.deepEqual(
      upstream.seen.map(({ reused }) => reused),
      // the server hands out two tickets with a full handshake, and each is used once
      maxVersion === "1.3" ? [false, true, true, false] : [false, true, true, true],
    );
  });

  test(`a session proves nothing under other settings (TLS ${maxVersion})`, async (t) => {
    const upstream = await TlsUpstream.open(t, certificate);
    const settings = trusting({ maxVersion });
    await talk(await attempt(t, upstream.port, settings));
    await talk(
      await attempt(t, upstream.port, trusting({ maxVersion, identities: [{ kind: "dns", name: "b.test" }] })),
    );
    assert.equal(upstream.seen[1]?.reused, false);
    const others: readonly Partial<UpstreamTlsSettings>[] = [
      { identities: [{ kind: "dns", name: "c.test" }] },
      { authorities: [stranger.cert] },
      { revocations: [await authority.revoke([certificate.cert])] },
    ];
    for (const other of others) {
      const made = await attempt(t, upstream.port, trusting({ maxVersion, ...other }));
      assert.equal(made.outcome, "upstream-tls-failure");
    }
  });

  test(`a server that was refused leaves no session behind (TLS ${maxVersion})`, async (t) => {
    const upstream = await TlsUpstream.open(t, certificate);
    const settings = trusting({ maxVersion, identities: [{ kind: "dns", name: "c.test" }] });
    for (let i = 0; i < 3; i++) {
      assert.equal((await attempt(t, upstream.port, settings)).outcome, "upstream-tls-failure");
    }
    assert.ok(upstream.seen.every(({ reused }) => !reused));
  });

  test(`a session of another endpoint is not offered (TLS ${maxVersion})`, async (t) => {
    const ticketKeys = Buffer.alloc(48, 7);
    const one = await TlsUpstream.open(t, { ...certificate, ticketKeys });
    const other = await TlsUpstream.open(t, { ...certificate, ticketKeys });
    const settings = trusting({ maxVersion });
    await talk(await attempt(t, one.port, settings));
    await talk(await attempt(t, other.port, settings));
    assert.equal(other.seen[0]?.reused, false);
  });
}
