/** The ports that the Service of a group has: those of the listeners that its proxies serve. */
import type { Listener } from "@sallyport/model/listener";
import { resourcesOf, type Snapshot } from "@sallyport/model/snapshot";

/** One port of a Service. */
export interface ServedPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
  readonly targetPort: number;
}

/** By protocol and number. The order and the names depend on nothing else, so that one more listener moves no other port. */
export function findServedPorts(slice: Snapshot | undefined): readonly ServedPort[] {
  const ports = new Map<string, ServedPort>();
  for (const listener of slice === undefined ? [] : resourcesOf(slice, "listener")) {
    const port = toServedPort(listener);
    ports.set(port.name, port);
  }
  return [...ports.values()].toSorted((a, b) =>
    a.protocol === b.protocol ? a.port - b.port : a.protocol < b.protocol ? -1 : 1,
  );
}

function toServedPort({ port, bind, protocol }: Listener): ServedPort {
  return protocol === "udp"
    ? { name: `u${port}`, port, protocol: "UDP", targetPort: bind.port }
    : { name: `p${port}`, port, protocol: "TCP", targetPort: bind.port };
}
