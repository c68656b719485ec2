/** What stands for endpoints and clusters where clients keep their session. */
import { hashText } from "./text-hash.ts";

/**
 * Stands for an endpoint (`address:port`) of a cluster: 16 hex digits, the same in every proxy. It does not show the address, but it
 * is no secret either: who knows the cluster can try addresses until one fits.
 */
export function toEndpointSession(clusterKey: string, label: string): string {
  const text = `${toSubject(clusterKey)} ${label}`;
  return toHex(hashText(text, 1)) + toHex(hashText(text, 2));
}

/** Stands for a cluster: 8 hex digits. */
export function toClusterMark(clusterKey: string): string {
  return toHex(hashText(toSubject(clusterKey), 3));
}

/** Without what tells variants of one Service port apart (`ns/svc:port~traffic=...`): sessions outlive a change of policy. */
function toSubject(clusterKey: string): string {
  const variant = clusterKey.indexOf("~traffic=");
  return variant === -1 ? clusterKey : clusterKey.slice(0, variant);
}

function toHex(bits: number): string {
  return bits.toString(16).padStart(8, "0");
}
