/** A worker as the supervisor sees it, whether it is a thread or shares the supervisor's own. */
import type { Place } from "../cluster/contract.ts";
import type { Change, EngineState, Preparation } from "../engine.ts";

/** Steers one engine. Calls reject with MemberGone when the worker died before it answered. */
export interface Member {
  prepare(change: Change): Promise<Preparation>;
  settle(outcome: "activate" | "discard"): Promise<void>;
  inspect(): Promise<EngineState>;
  /** Accepts nothing more; resolves when the last connection is gone. */
  retire(): Promise<void>;
  /** Prefers endpoints that are meant for this place. */
  moveTo(place: Place): Promise<void>;
  /** Opens the access log anew. */
  reopenLog(): Promise<void>;
  /** Ends everything now. */
  close(): Promise<void>;
}

/** The worker died before it answered; what it was asked for is void. */
export class MemberGone extends Error {
  override readonly name = "MemberGone";
}
