/**
 * TLS sessions with endpoints, for handshakes without certificates. A session stands for what was proven when it was made,
 * so it is only ever offered under the very settings it was made under, to the same address, and not for long.
 */

/** A session as node:tls gives and takes it. */
export interface KeptSession {
  readonly session: Buffer;
  /** Milliseconds, as the caller's clock: the proof behind it is too old then. */
  readonly expires: number;
  /** Tickets of TLS 1.3 are for one use, so that nobody can tell from two handshakes that one client made both. */
  readonly use: "once" | "often";
}

/** Tickets kept of one endpoint: as many as servers send at once. */
const TICKETS = 2;

/** The sessions used last; sans-IO. */
export class UpstreamSessions {
  readonly #capacity: number;
  /** Least recently used first; of one endpoint the newest last. */
  readonly #sessions = new Map<string, KeptSession[]>();

  /** `capacity`: endpoints, each with its settings. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Endpoints of which there are sessions. */
  get size(): number {
    return this.#sessions.size;
  }

  /** The newest session that is still good at `now`. */
  take(key: string, now: number): KeptSession | undefined {
    const kept = this.#sessions.get(key);
    if (kept === undefined) return undefined;
    const last = kept.at(-1);
    const isGood = last !== undefined && last.expires > now;
    if (isGood && last.use === "once") kept.pop();
    // whatever is older expires no later
    this.#sessions.delete(key);
    if (isGood && kept.length > 0) this.#sessions.set(key, kept);
    return isGood ? last : undefined;
  }

  /** Keeps a session. */
  put(key: string, session: KeptSession): void {
    const kept = this.#sessions.get(key) ?? [];
    this.#sessions.delete(key);
    if (session.use === "often" || kept[0]?.use === "often") kept.length = 0;
    else if (kept.length >= TICKETS) kept.shift();
    kept.push(session);
    this.#sessions.set(key, kept);
    if (this.#sessions.size <= this.#capacity) return;
    const oldest = this.#sessions.keys().next();
    if (oldest.done !== true) this.#sessions.delete(oldest.value);
  }

  /** Forgets those of an endpoint: a handshake with one of them failed. */
  drop(key: string): void {
    this.#sessions.delete(key);
  }
}
