/** A budget that never ends, and how much of it is in use. */
import type { RetryGate } from "../src/cluster/contract.ts";

/** Counts. */
export class FreeRetries implements RetryGate {
  active = 0;
  /** Requests that went out again without being retries. */
  repeated = 0;
  /** More than these are not given. */
  limit = Infinity;

  begin(): boolean {
    if (this.active >= this.limit) return false;
    this.active++;
    return true;
  }

  repeat(): void {
    this.repeated++;
  }

  end(): void {
    this.active--;
  }
}
