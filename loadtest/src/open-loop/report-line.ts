// What the generator is told and what it prints: one JSON object each way between the harness and its process.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fieldsOf } from "../fields.ts";
import type { Launch } from "../processes.ts";
import type { HttpVersion } from "./dialect.ts";
import { repository } from "../tools.ts";

/** What the generator is told. */
export interface GeneratorSetup {
  readonly port: number;
  readonly connections: number;
  /** Arrivals a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Requests separated by NUL bytes. */
  readonly requestFile: string;
  /** File of the certificate that the proxy presents; empty where there is no TLS. */
  readonly certificate: string;
  readonly version: HttpVersion;
}

/** What the generator prints. */
export interface OpenLoopTotals {
  readonly requests: number;
  readonly failures: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** How late the generator itself was. */
  readonly lateP50Ms: number;
  readonly lateP99Ms: number;
  readonly longestQueue: number;
}

/** How to start the generator. */
export function openLoopLaunch(setup: GeneratorSetup): Launch {
  const program = join(repository, "loadtest/src/open-loop/generator.ts");
  return { command: process.execPath, args: [program, JSON.stringify(setup)] };
}

/** Reads the generator's line from its output file; throws when it printed none. */
export function readOpenLoopTotals(outputFile: string): OpenLoopTotals {
  const line: unknown = JSON.parse(readFileSync(outputFile, "utf8"));
  const totals = fieldsOf(line, "the generator's line");
  return {
    requests: totals.number("requests"),
    failures: totals.number("failures"),
    p50Ms: totals.number("p50Ms"),
    p99Ms: totals.number("p99Ms"),
    maxMs: totals.number("maxMs"),
    lateP50Ms: totals.number("lateP50Ms"),
    lateP99Ms: totals.number("lateP99Ms"),
    longestQueue: totals.number("longestQueue"),
  };
}

/** Reads the generator's argument; throws when it is incomplete. */
export function decodeGeneratorSetup(text: string): GeneratorSetup {
  const given: unknown = JSON.parse(text);
  const setup = fieldsOf(given, "the generator's setup");
  return {
    port: setup.number("port"),
    connections: setup.number("connections"),
    rate: setup.number("rate"),
    seconds: setup.number("seconds"),
    requestFile: setup.text("requestFile"),
    certificate: setup.text("certificate"),
    version: setup.text("version") === "2" ? "2" : "1.1",
  };
}
