/** TLS towards the endpoints of a cluster, with all that it refers to. */
import type { Cluster, UpstreamTls } from "@sallyport/model/cluster";
import { fail, ok, type Result } from "@sallyport/model/result";
import type { Authorities, CertificateSecret } from "@sallyport/model/secret";
import type { Snapshot } from "@sallyport/model/snapshot";
import type { UpstreamTlsSettings } from "../cluster/contract.ts";
import { getResource } from "./changes.ts";
import { digestOf, digestTexts } from "./digests.ts";

/**
 * What a cluster needs for TLS; undefined where it is spoken to in the clear. The failure says what is missing: such a
 * cluster is not served at all, for without TLS it never may be.
 */
export function compileUpstreamTls(
  { tls }: Cluster,
  snapshot: Snapshot,
): Result<UpstreamTlsSettings | undefined, string> {
  if (tls === undefined) return ok(undefined);
  const authorities: Authorities[] = [];
  for (const key of tls.trust === "system" ? [] : tls.trust) {
    const found = getResource(snapshot, "authorities", key);
    if (found === undefined) return fail(`its authorities ${key} are unknown`);
    authorities.push(found);
  }
  if (tls.trust !== "system" && authorities.length === 0) return fail("it trusts no authority");
  if (tls.clientCertificate === undefined) return ok(toSettings(tls, authorities, undefined));
  const secret = getResource(snapshot, "secret", tls.clientCertificate);
  if (secret === undefined) return fail(`its client certificate ${tls.clientCertificate} is unknown`);
  return ok(toSettings(tls, authorities, secret));
}

function toSettings(
  tls: UpstreamTls,
  authorities: readonly Authorities[],
  secret: CertificateSecret | undefined,
): UpstreamTlsSettings {
  const { serverName, identities, trust, minVersion = "1.2", maxVersion = "1.3", ciphers } = tls;
  const terms = JSON.stringify([serverName, identities, trust === "system", minVersion, maxVersion, ciphers]);
  const peerId = digestTexts([terms, ...authorities.map(digestOf)]);
  return {
    id: digestTexts([peerId, secret === undefined ? "" : digestOf(secret)]),
    peerId,
    serverName,
    identities,
    authorities: trust === "system" ? undefined : authorities.map(({ certificates }) => certificates),
    revocations: authorities.flatMap(({ revocations }) => (revocations === undefined ? [] : [revocations])),
    clientCertificate: secret && { chain: secret.certificateChain, key: secret.privateKey },
    minVersion,
    maxVersion,
    ciphers,
  };
}

/** Whether a cluster names one of these secrets or authorities. */
export function namesAny(
  { tls }: Cluster,
  { secret, authorities }: { readonly secret: ReadonlySet<string>; readonly authorities: ReadonlySet<string> },
): boolean {
  if (tls === undefined) return false;
  const { trust, clientCertificate } = tls;
  if (clientCertificate !== undefined && secret.has(clientCertificate)) return true;
  return trust !== "system" && trust.some((key) => authorities.has(key));
}
