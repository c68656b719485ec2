/** What the retry policy of its rule has made of one exchange. Made with the first retry: most exchanges have none. */
import type { UpstreamCluster, UpstreamEndpoint } from "../cluster/contract.ts";

/** Retries of one exchange. */
export interface Retries {
  /** Retries made, the one under way included. */
  made: number;
  /** Endpoints that tries failed on. */
  readonly tried: UpstreamEndpoint[];
  /** Whose budget the retry under way counts against; undefined where none is under way. */
  owes: UpstreamCluster | undefined;
  /** The last try was lost with its connection: others that were open then may be as dead. */
  fresh: boolean;
}

/** The retry under way is over: it counts no longer. */
export function endRetry(retries: Retries): void {
  retries.owes?.retries.end();
  retries.owes = undefined;
}
