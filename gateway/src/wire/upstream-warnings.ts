/** Failures of endpoints in the process log: each endpoint and reason once a minute, with how often it happened in between. */
import type { TlsFailure } from "./tls-failure.ts";

/** As much as is needed of the process log. */
export interface WarningLog {
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Where it failed, and why. */
export interface FailedEndpoint extends TlsFailure {
  /** Key of the cluster. */
  readonly cluster: string;
  readonly endpoint: string;
  /** Of TLS. */
  readonly serverName?: string;
  /** What the certificate names, where that is the matter. */
  readonly names?: string | undefined;
}

interface Told {
  at: number;
  unsaid: number;
}

/** Milliseconds of silence after a warning. */
const SILENCE = 60_000;
/** Endpoints and reasons that are remembered. */
const CAPACITY = 1024;

/** Warns, but not too often. */
export class UpstreamWarnings {
  readonly #message: string;
  readonly #told = new Map<string, Told>();

  /** `message`: what is the matter with all of them. */
  constructor(message: string) {
    this.#message = message;
  }

  /** `now`: milliseconds, monotonic. */
  warn(log: WarningLog, failed: FailedEndpoint, now: number): void {
    const { cluster, endpoint, detail, hint, serverName, names } = failed;
    const key = `${cluster} ${endpoint} ${detail}`;
    const told = this.#told.get(key);
    if (told !== undefined && now - told.at < SILENCE) {
      told.unsaid++;
      return;
    }
    this.#told.delete(key);
    this.#told.set(key, { at: now, unsaid: 0 });
    if (this.#told.size > CAPACITY) {
      const oldest = this.#told.keys().next();
      if (oldest.done !== true) this.#told.delete(oldest.value);
    }
    log.warn(this.#message, {
      cluster,
      endpoint,
      reason: detail,
      do: hint,
      ...(serverName !== undefined && { serverName }),
      ...(names !== undefined && { certificateNames: names }),
      ...(told !== undefined && told.unsaid > 0 && { timesSinceLastLine: told.unsaid }),
    });
  }
}
