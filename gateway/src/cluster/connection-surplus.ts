/** Connections beyond a limit that was lowered while they were open: they end as soon as nothing is on them. */
import type { ClusterBreaker } from "./breaker.ts";
import type { EndpointHost } from "./endpoint-host.ts";
import type { PooledConnection } from "./pooled-connection.ts";

/** Lets those beyond the limits of endpoints end, then those beyond the limit of the cluster. */
export function chooseSurplus(hosts: Iterable<EndpointHost>, breaker: ClusterBreaker): void {
  const { surplus, limitsEndpoints } = breaker;
  if (surplus <= 0 && !limitsEndpoints) return;
  const open: PooledConnection[] = [];
  for (const host of hosts) open.push(...findServing(host));
  let spare = breaker.spare - countSurplus(open);
  if (limitsEndpoints) {
    for (const host of hosts) {
      const count = breaker.surplusOn(host);
      if (count > 0) spare -= choose(findServing(host), count, spare);
    }
  }
  choose(open, surplus, spare);
}

/** Those that carry nothing first; the ones that were chosen before count. How many more were chosen, `most` at most. */
function choose(open: readonly PooledConnection[], count: number, most: number): number {
  const left = Math.min(count - countSurplus(open), most);
  if (left <= 0) return 0;
  const rest = open.filter(({ isSurplus }) => !isSurplus).toSorted((one, other) => one.streams - other.streams);
  const chosen = rest.slice(0, left);
  for (const one of chosen) one.isSurplus = true;
  return chosen.length;
}

function findServing({ pooled }: EndpointHost): PooledConnection[] {
  return [...pooled].filter(({ state }) => state !== "draining");
}

function countSurplus(open: readonly PooledConnection[]): number {
  return open.reduce((count, { isSurplus }) => count + (isSurplus ? 1 : 0), 0);
}
