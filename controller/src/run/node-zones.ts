/** Zones of nodes, by which proxies know which endpoints are near: of all that a Node says, only its zone is kept. */
import type { KubeApi } from "../api/contract.ts";
import type { ApiLog } from "../api/log.ts";
import { watchList } from "../api/watch-list.ts";
import type { NodeZones } from "../distribute/proxy-stream.ts";
import { isRecord } from "../kube/field-path.ts";

/** Zones that are kept up to date. */
export interface WatchedZones extends NodeZones {
  close(): Promise<void>;
}

const ZONE_LABEL = "topology.kubernetes.io/zone";

/** Watches the Nodes of a cluster until closed. */
export function watchZones(api: KubeApi, log: ApiLog): WatchedZones {
  const zones = new Map<string, string>();
  const listeners = new Set<() => void>();
  const set = (node: string, zone: string | undefined): void => {
    if (zones.get(node) === zone) return;
    if (zone === undefined) zones.delete(node);
    else zones.set(node, zone);
    for (const listener of listeners) listener();
  };
  const nodes = watchList(
    api,
    { path: "/api/v1/nodes", log },
    { onObject: (node, { name }) => set(name, readZone(node)), onDelete: ({ name }) => set(name, undefined) },
  );
  return {
    zoneOf: (node) => zones.get(node),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: async () => nodes.close(),
  };
}

function readZone({ metadata }: Readonly<Record<string, unknown>>): string | undefined {
  const labels = isRecord(metadata) && isRecord(metadata["labels"]) ? metadata["labels"] : {};
  const zone = labels[ZONE_LABEL];
  return typeof zone === "string" && zone !== "" ? zone : undefined;
}
