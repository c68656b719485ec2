/** TLS settings of a cluster on fakes: nobody looks into them. */
import type { UpstreamTlsSettings } from "../../src/cluster/contract.ts";

/** Settings as good as any. */
export const TLS: UpstreamTlsSettings = {
  id: "one",
  peerId: "peer",
  serverName: "web.example",
  identities: [],
  authorities: undefined,
  revocations: [],
  clientCertificate: undefined,
  minVersion: "1.2",
  maxVersion: "1.3",
  ciphers: undefined,
};
