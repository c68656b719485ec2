// How a baseline proxy is told what to do: one JSON argument.
import { fieldsOf } from "../fields.ts";

/** Where a baseline listens, where it sends requests, and over how many connections at most. */
export interface BaselineOptions {
  readonly port: number;
  readonly backendPort: number;
  readonly connections: number;
}

/** Reads the options from the command line; throws when one is missing. */
export function baselineOptions(): BaselineOptions {
  const given: unknown = JSON.parse(process.argv[2] ?? "null");
  const options = fieldsOf(given, "the baseline's argument");
  return {
    port: options.number("port"),
    backendPort: options.number("backendPort"),
    connections: options.number("connections"),
  };
}

/** Idle time of client connections in milliseconds: Node's default of five seconds would close them between rounds. */
export const idleTimeoutMs = 3_600_000;
