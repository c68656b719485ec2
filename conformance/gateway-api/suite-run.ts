// One run of the official suite's test binary: its flags, its output as it comes, and its report.
import { spawn } from "node:child_process";
import { createWriteStream, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parse } from "yaml";
import type { Demand, ProfileReport } from "./judgement.ts";
import { SuiteOutput } from "./results.ts";

/** Who is under test, for the report. */
export interface Implementation {
  readonly organization: string;
  readonly project: string;
  readonly url: string;
  readonly version: string;
  readonly contact: string;
  readonly gatewayClass: string;
}

/** What to run, and where. */
export interface SuiteRun {
  /** Path of the test binary. */
  readonly binary: string;
  /** What the binary is put behind, so that it stands outside the cluster. */
  readonly prefix: readonly string[];
  readonly kubeconfig: string;
  readonly implementation: Implementation;
  readonly demand: Demand;
  /** Features in the status of the GatewayClass. */
  readonly claims: readonly string[];
  /** A single test. */
  readonly only: string | undefined;
  readonly addresses: { readonly usable: string; readonly unusable: string };
  /** Folder that takes output and report. */
  readonly folder: string;
  /** Called for each test as it begins. */
  readonly onTest: (name: string) => void;
}

/** What came of it. */
export interface SuiteEnd {
  readonly output: SuiteOutput;
  /** Empty where the suite wrote none. */
  readonly reports: readonly ProfileReport[];
  readonly exitCode: number;
  readonly seconds: number;
}

/** Core features of all profiles of gateways. */
const CORE_FEATURES = [...["Gateway", "ReferenceGrant", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"]];
/** Of these the suite tests the absence as well, in core tests: whoever has them must claim them there, too. */
const TESTED_BOTH_WAYS: ReadonlySet<string> = new Set(["TLSRouteModeTerminate", "TLSRouteModeMixed"]);
/** A run that takes longer than this hangs. */
const TIME_LIMIT = "40m";
/**
 * Seconds for which the suite waits, several times as many as by itself: on a machine that does much else everything takes its time, and
 * what is there is not waited for. How long one request may take (RequestTimeout) stays as it is.
 */
const PATIENCE = [
  ...["CreateTimeout:180", "DeleteTimeout:60", "GetTimeout:60", "ManifestFetchTimeout:60"],
  ...["GatewayStatusMustHaveListeners:180", "GatewayListenersMustHaveConditions:180"],
  ...["ListenerSetListenersMustHaveConditions:180", "LatestObservedGenerationSet:180"],
  ...["RouteMustHaveParents:180", "HTTPRouteMustNotHaveParents:180", "HTTPRouteMustHaveCondition:180"],
  ...["TLSRouteMustHaveCondition:180", "TCPRouteMustHaveCondition:180", "UDPRouteMustHaveCondition:180"],
  ...["MaxTimeToConsistency:120", "DefaultTestTimeout:180"],
];

/** Runs it to its end. Rejects only where it cannot be started. */
export async function runSuite(run: SuiteRun): Promise<SuiteEnd> {
  const reportFile = join(run.folder, "report.yaml");
  rmSync(reportFile, { force: true });
  const started = performance.now();
  const [command = "", ...args] = [...run.prefix, run.binary, ...suiteFlags(run, reportFile)];
  const child = spawn(command, args, {
    cwd: run.folder,
    env: { ...process.env, KUBECONFIG: run.kubeconfig },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);
  const log = createWriteStream(join(run.folder, "suite.log"));
  const output = new SuiteOutput();
  const follow = async (stream: NodeJS.ReadableStream): Promise<void> => {
    for await (const line of createInterface({ input: stream })) {
      log.write(`${line}\n`);
      const begun = output.addLine(line);
      if (begun !== undefined) run.onTest(begun);
    }
  };
  const ended = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? -1));
  });
  const [exitCode] = await Promise.all([ended, follow(child.stdout), follow(child.stderr)]);
  process.off("exit", end);
  log.end();
  return { output, reports: readReports(reportFile), exitCode, seconds: (performance.now() - started) / 1000 };
}

function suiteFlags(run: SuiteRun, reportFile: string): string[] {
  const { implementation, demand, addresses } = run;
  const { gatewayClass, ...about } = implementation;
  return [
    ...["-test.v", "-test.run=^TestConformance$", `-test.timeout=${TIME_LIMIT}`],
    `--gateway-class=${gatewayClass}`,
    `--conformance-profiles=${demand.profiles.join(",")}`,
    `--usable-address=${addresses.usable}`,
    `--unusable-address=${addresses.unusable}`,
    `--report-output=${reportFile}`,
    "--mode=default",
    `--timeout-config-overrides=${PATIENCE.join(";")}`,
    ...Object.entries(about).map(([name, value]) => `--${name}=${value}`),
    ...featureFlags(run),
  ];
}

/**
 * Without such a flag the suite takes the features from the status of the GatewayClass, those that are in no profile as well:
 * so claims are tested, and only claims. A flag, or a single test, ends that.
 */
function featureFlags({ demand, only, claims }: SuiteRun): string[] {
  if (only !== undefined) return [`--supported-features=${claims.join(",")}`, `--run-test=${only}`];
  if (demand.depth === "all") return [];
  const features = [...CORE_FEATURES, ...claims.filter((claim) => TESTED_BOTH_WAYS.has(claim))];
  return [`--supported-features=${features.join(",")}`];
}

function readReports(file: string): readonly ProfileReport[] {
  if (!existsSync(file)) return [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the suite writes its own format (ConformanceReport)
  const report = parse(readFileSync(file, "utf8")) as { readonly profiles?: readonly ProfileReport[] };
  return report.profiles ?? [];
}
