/**
 * Ports of this process that no endpoint may be on, because who reaches them is believed: the admin API on loopback. An endpoint's address is
 * what a Service says, by the name of an ExternalName or an annotation, and whoever may write one Service must not read the configuration
 * of all or have the proxy drained (as CVE-2021-32783 was).
 */
import { BlockList, isIP } from "node:net";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");
// who connects to no address reaches this machine
LOOPBACK.addSubnet("0.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::", "ipv6");

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
    const family = isIP(address);
    if (family !== 0 && LOOPBACK.check(address, family === 4 ? "ipv4" : "ipv6")) return true;
  }
  return false;
}
