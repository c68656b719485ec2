/**
 * Whether a certificate names whom we wanted to reach (RFC 9525): a DNS name or a URI among its subject alternative names,
 * never its common name. A wildcard stands for one whole leftmost label.
 */
import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { UpstreamTlsSettings } from "../cluster/contract.ts";
import { parseAltNames } from "./alt-names.ts";
import { IdentityError } from "./tls-failure.ts";

/** As much as is needed of the settings. */
export type WantedIdentity = Pick<UpstreamTlsSettings, "serverName" | "identities">;

/** Characters of a certificate's names that go into the log. */
const NAMES_SHOWN = 300;

/** The error to end the handshake with; undefined: it is one of those that were wanted. */
export function checkIdentity(certificate: X509Certificate, wanted: WantedIdentity): IdentityError | undefined {
  const { serverName, identities } = wanted;
  const found =
    identities.length === 0
      ? isForHost(certificate, serverName)
      : identities.some((identity) =>
          identity.kind === "dns" ? isForHost(certificate, identity.name) : hasUri(certificate, identity.uri),
        );
  if (found) return undefined;
  const asked = identities.map((identity) => (identity.kind === "dns" ? identity.name : identity.uri));
  const text = (asked.length === 0 ? [serverName] : asked).join(" or ");
  const names = certificate.subjectAltName?.slice(0, NAMES_SHOWN) ?? "none";
  return new IdentityError(`the certificate does not name ${text}`, names);
}

function isForHost(certificate: X509Certificate, name: string): boolean {
  // Empty matches nothing, and OpenSSL takes a leading dot for "anything below".
  if (name === "" || name.startsWith(".")) return false;
  if (isIP(name) !== 0) return certificate.checkIP(name) !== undefined;
  // A wildcard that is asked for must be there as it is: OpenSSL would find it in another wildcard.
  if (name.includes("*")) return hasName(certificate, "DNS", (value) => value.toLowerCase() === name.toLowerCase());
  const host = name.endsWith(".") ? name.slice(0, -1) : name;
  return certificate.checkHost(host, { subject: "never", wildcards: true, partialWildcards: false }) !== undefined;
}

/** Compared byte by byte, as SPIFFE wants it. */
function hasUri(certificate: X509Certificate, uri: string): boolean {
  return uri !== "" && hasName(certificate, "URI", (value) => value === uri);
}

function hasName(certificate: X509Certificate, type: string, isWanted: (value: string) => boolean): boolean {
  const text = certificate.subjectAltName;
  if (text === undefined) return false;
  return parseAltNames(text).some((name) => name.type === type && isWanted(name.value));
}
