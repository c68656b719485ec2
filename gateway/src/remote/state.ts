/** What is counted of following a controller, for metrics and the admin interface. */
import type { RemoteFacts } from "../observe/metric-source.ts";

/** Counts; times are milliseconds since 1970. */
export class RemoteState {
  connected = false;
  /** Served from disk, and not confirmed by the controller yet. */
  restored = false;
  connects = 0;
  failures = 0;
  accepted = 0;
  refused = 0;
  lastChangeAt = 0;
  zone: string | undefined;
  /** Why the last change was refused; empty once one was accepted. */
  problems: readonly string[] = [];

  onConnected(): void {
    this.connected = true;
    this.connects++;
  }

  onAccepted(): void {
    this.accepted++;
    this.lastChangeAt = Date.now();
    this.problems = [];
  }

  onRefused(problems: readonly string[]): void {
    this.refused++;
    this.problems = problems;
  }

  toFacts(certificateExpiresAt: number): RemoteFacts {
    const { connected, restored, connects, failures, accepted, refused, lastChangeAt, zone, problems } = this;
    return {
      connected,
      restored,
      connects,
      failures,
      accepted,
      refused,
      lastChangeAt,
      certificateExpiresAt,
      zone,
      problems,
    };
  }
}
