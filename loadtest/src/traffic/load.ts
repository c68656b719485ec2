// Requests at a fixed rate, whatever became of those before them, each answer noted for itself.
import { setTimeout as sleep } from "node:timers/promises";
import { percentile } from "../spread.ts";
import { type Answer, ClientPool } from "./connection.ts";

/** How one request ended. */
export interface Outcome extends Answer {
  /** When it was sent, in milliseconds since the load began, and how long it took. */
  readonly atMs: number;
  readonly tookMs: number;
}

/** What to send, and where to. */
export interface Target {
  readonly port: number;
  readonly host: string;
  readonly method?: "GET" | "POST";
  readonly path?: string;
}

/** What to send, and how often. */
export interface LoadSetup extends Target {
  /** Requests a second. */
  readonly rate: number;
}

/** Load that goes on until it is ended. */
export class Load {
  readonly outcomes: Outcome[] = [];
  readonly #setup: LoadSetup;
  readonly #pool: ClientPool;
  readonly #message: string;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #sent = 0;

  constructor(setup: LoadSetup) {
    this.#setup = setup;
    this.#pool = new ClientPool(setup.port);
    this.#message = toMessage(setup);
    this.#timer = setInterval(() => this.#send(), 2);
  }

  /** Milliseconds since it began. */
  get nowMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** Sends nothing more and waits for what is out. */
  async end(): Promise<readonly Outcome[]> {
    clearInterval(this.#timer);
    while (this.outcomes.length < this.#sent) await sleep(5);
    this.#pool.close();
    return this.outcomes;
  }

  #send(): void {
    const due = (this.nowMs * this.#setup.rate) / 1000;
    while (this.#sent < due) {
      this.#sent++;
      void this.#ask();
    }
  }

  async #ask(): Promise<void> {
    const atMs = this.nowMs;
    const answer = await this.#pool.ask(this.#message);
    this.outcomes.push({ atMs, tookMs: this.nowMs - atMs, ...answer });
  }
}

/** Keeps so many requests under way for so long; what came of them. */
export async function saturate(setup: Target, concurrency: number, seconds: number): Promise<readonly Outcome[]> {
  const pool = new ClientPool(setup.port);
  const message = toMessage(setup);
  const outcomes: Outcome[] = [];
  const startedAt = performance.now();
  const ask = async (): Promise<void> => {
    while (performance.now() - startedAt < seconds * 1000) {
      const atMs = performance.now() - startedAt;
      const answer = await pool.ask(message);
      outcomes.push({ atMs, tookMs: performance.now() - startedAt - atMs, ...answer });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, ask));
  pool.close();
  return outcomes;
}

/** How many were answered otherwise than with 200. */
export function countFailures(outcomes: readonly Outcome[]): number {
  return outcomes.filter(({ status }) => status !== 200).length;
}

/** The statuses of those that were answered otherwise than with 200, and how many each: `503: 4`. */
export function tellFailures(outcomes: readonly Outcome[]): string {
  const counts = new Map<number, number>();
  for (const { status } of outcomes) if (status !== 200) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${status === 0 ? "no answer" : status}: ${count}`).join(", ");
}

/** A percentile of how long they took, in milliseconds. */
export function tookPercentile(outcomes: readonly Outcome[], share: number): number {
  return percentile(
    outcomes.map(({ tookMs }) => tookMs),
    share,
  );
}

function toMessage({ host, method = "GET", path = "/" }: Target): string {
  const body = method === "POST" ? "body" : "";
  const length = method === "POST" ? `content-length: ${body.length}\r\n` : "";
  return `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${length}\r\n${body}`;
}
