// The jury: what Sallyport forwards is parsed behind it by three independent HTTP implementations, and all must see the
// same requests. The input is every protocol case and seeded mutations of valid messages.
import { METHODS } from "node:http";
import { freePorts } from "@sallyport/testkit/process";
import { catalogue } from "../protocol/catalogue.ts";
import { show } from "../protocol/judge.ts";
import { seeded } from "@sallyport/testkit/random";
import { dismiss, seatJudges } from "./bench.ts";
import type { Judge } from "./bench.ts";
import { hear } from "./hearing.ts";
import type { Bench } from "./hearing.ts";
import { disagreements } from "./judgement.ts";
import type { Report } from "./judgement.ts";
import { startSystem } from "../system.ts";
import type { System } from "../system.ts";
import { mutated } from "./mutations.ts";

/** One piece of input on which the judges disagreed. */
export interface Disagreement {
  readonly name: string;
  readonly bytes: string;
  readonly faults: readonly string[];
}

/** How much was heard, and what came of it. */
export interface JuryResult {
  readonly inputs: number;
  /** Requests the judges saw, all inputs together, counted once. */
  readonly requests: number;
  readonly disagreements: readonly Disagreement[];
}

/** A system whose ports lead to the judges, one each. */
export interface Courtroom {
  readonly benches: readonly Bench[];
  readonly judges: readonly Judge[];
  readonly system: System;
  close(): Promise<void>;
}

/** Starts the judges and the system in front of them. */
export async function openCourtroom(): Promise<Courtroom> {
  const judges = await seatJudges();
  try {
    const ports = await freePorts(judges.length);
    const benches = judges.map((judge, index) => ({ judge, port: ports[index] ?? 0 }));
    const system = await startSystem(benches.map(({ judge, port }) => ({ port, backend: judge.port })));
    const close = async (): Promise<void> => {
      await system.stop();
      await dismiss(judges);
    };
    return { benches, judges, system, close };
  } catch (error) {
    await dismiss(judges);
    throw error;
  }
}

/** Lets the jury hear every protocol case and `count` mutations that follow from `seed`. */
export async function holdCourt(benches: readonly Bench[], seed: number, count: number): Promise<JuryResult> {
  const found: Disagreement[] = [];
  let requests = 0;
  const inputs = [...corpus(seed, count)];
  for (const { name, bytes } of inputs) {
    let reports = await hear(bytes, benches, QUIET);
    if (faultsOf(reports).length > 0) reports = await hear(bytes, benches, LONG_QUIET);
    requests += reports[0]?.requests.length ?? 0;
    const faults = faultsOf(reports);
    if (faults.length > 0) found.push({ name, bytes, faults });
  }
  return { inputs: inputs.length, requests, disagreements: found };
}

/** A disagreement with its bytes, for people. */
export function describeDisagreement({ name, bytes, faults }: Disagreement): string {
  return `DISAGREEMENT ${name}\n  sent: ${show(bytes)}\n  ${faults.join("\n  ")}`;
}

function* corpus(seed: number, count: number): Generator<{ readonly name: string; readonly bytes: string }> {
  for (const testCase of catalogue) {
    const bytes = testCase.send.filter((step) => typeof step === "string").join("");
    // Answers are the judges' own here, so a case about the backend's answer adds nothing.
    if (!testCase.id.startsWith("answer-")) yield { name: testCase.id, bytes };
  }
  const random = seeded(seed);
  for (let index = 0; index < count; index += 1) yield { name: `mutation ${seed}/${index}`, bytes: mutated(random) };
}

/** Milliseconds without a byte before the client ends its side, at first and when the judges differed. */
const QUIET = 15;
const LONG_QUIET = 500;

function faultsOf(reports: readonly Report[]): readonly string[] {
  return [...disagreements(reports, (judge) => excuse(judge, reports)), ...unanswered(reports)];
}

/** What a judge cannot parse by its own documented limits, so that its silence says nothing about Sallyport. */
function excuse(judge: string, reports: readonly Report[]): string | undefined {
  const all = reports.flatMap((report) => report.requests);
  if (judge === "node:http" && all.some((request) => !METHODS.includes(request.method)))
    return "knows registered methods only";
  return undefined;
}

function unanswered(reports: readonly Report[]): string[] {
  return reports
    .filter((report) => report.statuses.includes(-1))
    .map((report) => `no end of the connection (${report.judge})`);
}
