// Requests at a fixed rate, whatever became of those before them, each answer noted for itself.
import { Agent, request, type OutgoingHttpHeaders } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { percentile } from "../spread.ts";
import { endpointField } from "./behaviour.ts";

/** How one request ended. */
export interface Outcome {
  /** When it was sent, in milliseconds since the load began, and how long it took. */
  readonly atMs: number;
  readonly tookMs: number;
  /** 0: no answer came. */
  readonly status: number;
  /** The port of the endpoint that answered; 0 where none says so. */
  readonly endpoint: number;
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
  readonly #agent = new Agent({ keepAlive: true, scheduling: "fifo" });
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #sent = 0;

  constructor(setup: LoadSetup) {
    this.#setup = setup;
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
    this.#agent.destroy();
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
    const answer = await askOnce(this.#setup, this.#agent);
    this.outcomes.push({ atMs, tookMs: this.nowMs - atMs, ...answer });
  }
}

/** Keeps so many requests under way for so long; what came of them. */
export async function saturate(setup: Target, concurrency: number, seconds: number): Promise<readonly Outcome[]> {
  const agent = new Agent({ keepAlive: true });
  const outcomes: Outcome[] = [];
  const startedAt = performance.now();
  const ask = async (): Promise<void> => {
    while (performance.now() - startedAt < seconds * 1000) {
      const atMs = performance.now() - startedAt;
      const answer = await askOnce(setup, agent);
      outcomes.push({ atMs, tookMs: performance.now() - startedAt - atMs, ...answer });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, ask));
  agent.destroy();
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

type Answer = Pick<Outcome, "status" | "endpoint">;

function askOnce({ port, host, method = "GET", path = "/" }: Target, agent: Agent): Promise<Answer> {
  const headers: OutgoingHttpHeaders = method === "POST" ? { host, "content-length": 4 } : { host };
  return new Promise((resolve) => {
    const fail = (): void => resolve({ status: 0, endpoint: 0 });
    const outgoing = request({ host: "127.0.0.1", port, path, method, headers, agent }, (answer) => {
      const { statusCode = 0 } = answer;
      const endpoint = Number(answer.headers[endpointField] ?? 0);
      answer.on("error", fail);
      answer.on("end", () => resolve({ status: statusCode, endpoint }));
      answer.resume();
    });
    outgoing.on("error", fail);
    outgoing.end(method === "POST" ? "body" : undefined);
  });
}
