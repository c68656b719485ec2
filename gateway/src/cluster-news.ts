/** What operators are told of clusters, in the log. */
import type { TableShortage } from "./cluster/balancer/table-room.ts";
import type { ClusterTableOptions } from "./cluster/contract.ts";
import type { LeftOutAddress } from "./cluster/dns/left-out.ts";
import type { LimitState } from "./cluster/summary/contract.ts";
import type { LimitName } from "./observe/contract.ts";
import type { Log } from "./observe/log.ts";

/** Who writes down what a table of clusters tells. */
export type ClusterNews = Required<
  Pick<ClusterTableOptions, "onNameState" | "onLeftOut" | "onLimit" | "onTableShortage">
>;

/** Writes it down in this log. */
export function toClusterNews(log: Log): ClusterNews {
  return {
    onNameState: (cluster, hostname, state) => {
      if (state === "resolved") log.info("upstream name resolves", { cluster, hostname });
      else log.warn("upstream name does not resolve", { cluster, hostname, detail: state.detail });
    },
    onLeftOut: (cluster, hostname, leftOut) => logLeftOut(log, { cluster, hostname }, leftOut),
    onLimit: (cluster, limit, state) => logLimit(log, { cluster, limit }, state),
    onTableShortage: (shortage) => logTableShortage(log, shortage),
  };
}

/** What comes of a limit of a cluster that is reached, for people. */
const EFFECTS: Readonly<Record<LimitName, string>> = {
  connections: "requests wait for a connection",
  pending: "requests that would have to wait are answered 503 (UO)",
  requests: "requests are answered 503 (UO)",
  retries: "requests that failed are not tried again (UO)",
};

function logLimit(log: Log, where: { cluster: string; limit: LimitName }, state: LimitState): void {
  if (state.kind === "reached") {
    log.warn("limit of a cluster reached", { ...where, most: state.most, effect: EFFECTS[where.limit] });
  } else {
    const { overflows, milliseconds } = state;
    log.info("limit of a cluster no longer reached", {
      ...where,
      overflows,
      seconds: Math.round(milliseconds / 100) / 10,
    });
  }
}

/** More of them in one line tell nobody more. */
const MOST_NAMED = 8;

function logLeftOut(log: Log, where: { cluster: string; hostname: string }, leftOut: readonly LeftOutAddress[]): void {
  if (leftOut.length === 0) {
    log.info("no address of an upstream name is left out any more", where);
    return;
  }
  const addresses = leftOut.slice(0, MOST_NAMED).map(({ address, use }) => `${address} (${use})`);
  const reason = "no backend in a cluster is at an address of special use; correct what the name resolves to";
  log.warn("addresses of an upstream name are left out", {
    ...where,
    addresses: addresses.join(", "),
    count: leftOut.length,
    reason,
  });
}

function logTableShortage(log: Log, shortage: TableShortage): void {
  if (shortage.kind === "enough") {
    log.info("tables of consistent hashing are as large as configured again");
    return;
  }
  const { room, endpoints, wanted, made } = shortage;
  const reason = `tables of this worker have ${room / 1024 / 1024} MiB, half of it for large ones: shares are less even, and workers may differ in where keys go; ask for smaller tables (tableSize, minimumSize) in BackendTrafficPolicies`;
  log.warn("tables of consistent hashing are made smaller than configured", { reason, endpoints, wanted, made });
}
