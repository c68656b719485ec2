/** What a client may ask to switch to: Upgrade (RFC 9110 section 7.8), and `:protocol` of extended CONNECT (RFC 8441). */

/**
 * The protocols that may be asked for: any but HTTP itself (h2c upgrades are a way around every check made here) and TLS
 * (RFC 2817: the client would negotiate with the backend on a connection that is ours).
 */
export function toUpgrade(value: string): string {
  const protocols: string[] = [];
  for (const entry of value.split(",")) {
    const protocol = entry.trim();
    if (!/^[!#$%&'*+\-.^_`|~\w]+(?:\/[!#$%&'*+\-.^_`|~\w]+)?$/.test(protocol)) continue;
    if (!/^(?:h2c?|http|tls)(?:$|\/)/i.test(protocol)) protocols.push(protocol);
  }
  return protocols.join(", ");
}
