/** The process as Prometheus' client libraries describe it (process_* names), read when asked. */
import { readdirSync } from "node:fs";
import type { Sample } from "./samples.ts";

/** Seconds of CPU time the process has used. */
export function readCpu(): Sample[] {
  const { user, system } = process.cpuUsage();
  return one((user + system) / 1e6);
}

/** Resident memory in bytes. */
export function readResidentMemory(): Sample[] {
  return one(process.memoryUsage.rss());
}

/** Seconds since 1970. */
export function readStartTime(): Sample[] {
  return one(Math.floor(Date.now() / 1000 - process.uptime()));
}

/** Open file descriptors; nothing where the system does not say. */
export function readOpenFiles(): Sample[] {
  try {
    // Reading the directory takes one itself.
    return one(readdirSync("/proc/self/fd").length - 1);
  } catch {
    return [];
  }
}

function one(value: number): Sample[] {
  return [{ labels: {}, value }];
}
