/** TLS towards endpoints as tests configure it. */
import { createAuthority, type CertifiedKey } from "@sallyport/testkit/certs";
import type { UpstreamTlsSettings } from "../../src/cluster/contract.ts";

let made = 0;

/** Settings with an id of their own, which nothing kept by other tests goes by. */
export function toTlsSettings(changes: Partial<UpstreamTlsSettings> = {}): UpstreamTlsSettings {
  const id = `test settings ${++made}`;
  return {
    id,
    peerId: id,
    serverName: "upstream.test",
    identities: [],
    authorities: [],
    revocations: [],
    clientCertificate: undefined,
    minVersion: "1.2",
    maxVersion: "1.3",
    ciphers: undefined,
    ...changes,
  };
}

/** A certificate for upstream.test and settings that trust it. */
export async function createTlsUpstream(): Promise<{ certified: CertifiedKey; settings: UpstreamTlsSettings }> {
  const authority = await createAuthority();
  const certified = await authority.issue({ names: ["upstream.test"] });
  return { certified, settings: toTlsSettings({ authorities: [authority.cert] }) };
}
