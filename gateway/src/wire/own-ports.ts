/**
 * Ports of this process that no endpoint may be on, because who reaches them is believed: the admin API on loopback. An endpoint's address is
 * what a Service says, by the name of an ExternalName or an annotation, and whoever may write one Service must not read the configuration
 * of all or have the proxy drained (as CVE-2021-32783 was).
 */
import { findSpecialUse } from "@sallyport/model/special-use";

const ports = new Set<() => number>();

/** Keeps endpoints off the port that this gives (0: there is none) on loopback; what is returned ends that. */
export function reservePort(port: () => number): () => void {
  ports.add(port);
  return () => void ports.delete(port);
}

/** Whether an endpoint there would be a port of this process that nobody may be sent to. */
export function isReserved(address: string, port: number): boolean {
  for (const reserved of ports) {
    if (reserved() !== port) continue;
    const use = findSpecialUse(address);
    // who connects to no address reaches this machine
    if (use === "loopback" || use === "unspecified") return true;
  }
  return false;
}
