/**
 * How many client connections a process may hold. What comes beyond is accepted and closed at once: left in the backlog
 * it would wait for a time-out, while a closed connection lets its client turn elsewhere, and health checks see it.
 */
import { readFileSync } from "node:fs";

/** Connections of a process that no limit of the system bounds closer. */
const MAX_CONNECTIONS = 50_000;
/** Descriptors for everything that is no connection: listeners, logs, DNS, the admin API, libuv. */
const RESERVED_FILES = 128;

/** Counts connections of all ports of a thread. */
export class ConnectionBudget {
  readonly limit: number;
  #open = 0;
  #refused = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get open(): number {
    return this.#open;
  }

  /** Connections that were closed because there was no room. */
  get refused(): number {
    return this.#refused;
  }

  /** Takes a place; false where there is none. */
  take(): boolean {
    if (this.#open >= this.limit) {
      this.#refused++;
      return false;
    }
    this.#open++;
    return true;
  }

  /** Gives a place back. */
  giveBack(): void {
    this.#open--;
  }
}

/** Part of a budget, for users who can take places without proving so much as their address. */
export class BudgetShare {
  readonly #budget: ConnectionBudget;
  readonly #limit: number;
  #open = 0;

  /** At most half of all places. */
  constructor(budget: ConnectionBudget) {
    this.#budget = budget;
    this.#limit = Math.floor(budget.limit / 2);
  }

  take(): boolean {
    if (this.#open >= this.#limit || !this.#budget.take()) return false;
    this.#open++;
    return true;
  }

  giveBack(): void {
    this.#open--;
    this.#budget.giveBack();
  }
}

/**
 * The limit for one of so many threads, where the process may have so many files open: a client connection may need
 * another to its upstream.
 */
export function connectionLimit(openFiles: number, threads: number): number {
  const byFiles = Math.floor((openFiles - RESERVED_FILES) / 2);
  return Math.max(16, Math.floor(Math.min(MAX_CONNECTIONS, byFiles) / threads));
}

/** How many files this process may have open (RLIMIT_NOFILE); Infinity where the system does not say. */
export function readOpenFilesLimit(): number {
  try {
    const match = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"));
    return match?.[1] === undefined ? Number.POSITIVE_INFINITY : Number(match[1]);
  } catch {
    // no procfs: macOS and the like, where the limit is looked after by the operator
    return Number.POSITIVE_INFINITY;
  }
}
