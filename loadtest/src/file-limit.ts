// How many files this process and those it starts may have open: every connection is one, at each end.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const wanted = 65_536;

/** Raises the limit as far as this user may, and says what it is now. */
export function raiseFileLimit(): number {
  // Only root may go beyond the hard limit; for others the call fails and the limit stays what it is.
  spawnSync("prlimit", ["--pid", String(process.pid), `--nofile=${wanted}:${wanted}`]);
  return parseFileLimit(readFileSync("/proc/self/limits", "utf8"));
}

/** The soft limit of /proc/PID/limits. */
export function parseFileLimit(text: string): number {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(text)?.[1];
  if (soft === undefined) throw new Error(`no limit on open files in ${text}`);
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
}

/** How many idle client connections can be held: a proxy keeps room for as many upstream, and some for itself. */
export function heldConnections(wish: number, fileLimit: number): number {
  return Math.min(wish, Math.floor((fileLimit - 512) / 2));
}
