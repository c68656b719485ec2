// What a run of the official suite must show: every test of every profile passed, none left out, no feature unsupported.
import published from "./published.json" with { type: "json" };
import type { TestResult } from "./results.ts";

/** The profiles of gateways, as the suite names them. */
export const PROFILES = ["GATEWAY-HTTP", "GATEWAY-GRPC", "GATEWAY-TLS", "GATEWAY-TCP", "GATEWAY-UDP"] as const;
/** One of them. */
export type Profile = (typeof PROFILES)[number];

/** Of the ConformanceReport: one part of a profile. */
export interface ReportPart {
  readonly statistics: { readonly Passed: number; readonly Skipped: number; readonly Failed: number };
  readonly supportedFeatures?: readonly string[];
  readonly unsupportedFeatures?: readonly string[];
}

/** Of the ConformanceReport: one profile. */
export interface ProfileReport {
  readonly name: string;
  readonly core: ReportPart;
  readonly extended?: ReportPart;
}

/** What was run. */
export interface Demand {
  readonly profiles: readonly Profile[];
  /** `core`: core features only, so that extended tests are skipped. */
  readonly depth: "all" | "core";
}

/** Everything that falls short; empty where the run is what it must be. */
export function findShortcomings(
  demand: Demand,
  results: readonly TestResult[],
  reports: readonly ProfileReport[],
): readonly string[] {
  const failed = results.filter(({ outcome }) => outcome === "FAIL").map(({ name }) => `${name} failed`);
  const skipped = results
    .filter(({ name, outcome }) => outcome === "SKIP" && demand.depth === "all" && !isForOthers(name, demand))
    .map(({ name }) => `${name} was skipped`);
  return [
    ...failed,
    ...skipped,
    ...demand.profiles.flatMap((profile) => profileShortcomings(demand, profile, reports)),
  ];
}

/** Tests of meshes need a mesh; with some profiles only, those of the others are not asked for. */
function isForOthers(name: string, { profiles }: Demand): boolean {
  return name.startsWith("Mesh") || profiles.length < PROFILES.length;
}

function profileShortcomings(demand: Demand, profile: Profile, reports: readonly ProfileReport[]): string[] {
  const report = reports.find(({ name }) => name === profile);
  if (report === undefined) return [`${profile} is not in the report`];
  const wanted = published.tests[profile];
  const found = partShortcomings(`${profile} core`, report.core, wanted.core);
  if (demand.depth === "core") return found;
  const unsupported = report.extended?.unsupportedFeatures ?? [];
  return [
    ...found,
    ...partShortcomings(`${profile} extended`, report.extended, wanted.extended),
    ...unsupported.map((feature) => `${profile}: ${feature} is not supported`),
  ];
}

function partShortcomings(what: string, part: ReportPart | undefined, wanted: number): string[] {
  const { Passed: passed, Skipped: skipped, Failed: failed } = part?.statistics ?? { Passed: 0, Skipped: 0, Failed: 0 };
  if (passed === wanted && skipped === 0 && failed === 0) return [];
  return [`${what}: ${passed} of ${wanted} passed, ${failed} failed, ${skipped} skipped`];
}
