/** Connections beyond a limit that was lowered while they were open: they end as soon as nothing is on them. */
import type { EndpointHost } from "./endpoint-host.ts";
import type { PooledConnection } from "./pooled-connection.ts";

/** Lets so many connections end, those that carry nothing first; the ones that were chosen before count. */
export function chooseSurplus(hosts: Iterable<EndpointHost>, count: number): void {
  if (count <= 0) return;
  const open: PooledConnection[] = [];
  for (const { pooled } of hosts) for (const one of pooled) if (one.state !== "draining") open.push(one);
  const rest = open.filter(({ isSurplus }) => !isSurplus).toSorted((one, other) => one.streams - other.streams);
  for (const one of rest.slice(0, Math.max(0, count - (open.length - rest.length)))) one.isSurplus = true;
}
