/**
 * Says when a limit of a cluster is reached and when that is over: once for all workers, and once for a whole time of trouble. It is
 * over when whoever said so has met the limit no more for a while, so that a limit that is met again and again is no flood of messages.
 */
import { COUNTED, type ClusterCount, type LimitName } from "../observe/contract.ts";
import type { ClusterTableOptions } from "./contract.ts";

/** What it stands on, and who is told. */
export type AlarmOptions = Pick<ClusterTableOptions, "now" | "recorder" | "onLimit">;

/** Milliseconds without a request that meets the limit, after which it is over. */
const QUIET = 5_000;

interface Alarm {
  readonly since: number;
  last: number;
  overflows: number;
}

/** Those of one cluster, raised by this worker. */
export class LimitAlarms {
  readonly #key: string;
  readonly #count: ClusterCount;
  readonly #options: AlarmOptions;
  readonly #alarms = new Map<LimitName, Alarm>();
  #isClosed = false;

  constructor(key: string, count: ClusterCount, options: AlarmOptions) {
    this.#key = key;
    this.#count = count;
    this.#options = options;
  }

  /** A request has met this limit of so many. */
  note(limit: LimitName, most: number): void {
    const { now, recorder, onLimit } = this.#options;
    recorder.upstreamOverflow(limit);
    // nobody would say when it is over
    if (this.#isClosed) return;
    const alarm = this.#alarms.get(limit);
    if (alarm !== undefined) {
      alarm.last = now();
      alarm.overflows++;
    } else if (this.#count.raise(COUNTED[limit])) {
      this.#alarms.set(limit, { since: now(), last: now(), overflows: 1 });
      recorder.upstreamBreaker(limit, 1);
      onLimit?.(this.#key, limit, { kind: "reached", most });
    }
  }

  /** Ends what is over. Call about once a second. */
  sweep(): void {
    for (const [limit, { last }] of this.#alarms) if (this.#options.now() - last >= QUIET) this.#end(limit);
  }

  /** Ends all; what comes after (requests of a runtime that is over) is counted and begins none. */
  close(): void {
    this.#isClosed = true;
    for (const limit of this.#alarms.keys()) this.#end(limit);
  }

  #end(limit: LimitName): void {
    const alarm = this.#alarms.get(limit);
    if (alarm === undefined) return;
    this.#alarms.delete(limit);
    this.#count.lower(COUNTED[limit]);
    const { recorder, onLimit } = this.#options;
    recorder.upstreamBreaker(limit, -1);
    const { since, last, overflows } = alarm;
    onLimit?.(this.#key, limit, { kind: "over", overflows, milliseconds: last - since });
  }
}
