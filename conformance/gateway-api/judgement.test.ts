// The judge of the official suite's runs: whatever falls short must be found.
import assert from "node:assert/strict";
import { test } from "node:test";
import { findShortcomings, PROFILES, type ProfileReport } from "./judgement.ts";
import published from "./published.json" with { type: "json" };
import { SuiteOutput, type TestResult } from "./results.ts";
import { formatTable } from "./table.ts";

const FULL: readonly ProfileReport[] = PROFILES.map((name) => ({
  name,
  core: { statistics: { Passed: published.tests[name].core, Skipped: 0, Failed: 0 } },
  extended: {
    statistics: { Passed: published.tests[name].extended, Skipped: 0, Failed: 0 },
    supportedFeatures: ["A", "B"],
  },
}));
const ALL = { profiles: PROFILES, depth: "all" } as const;
const CORE = { profiles: PROFILES, depth: "core" } as const;
const passed = (name: string): TestResult => ({ name, outcome: "PASS", seconds: 1 });

/** The full report with one profile changed. */
function withChange(change: (report: ProfileReport) => ProfileReport): readonly ProfileReport[] {
  return FULL.map((report) => (report.name === "GATEWAY-TLS" ? change(report) : report));
}

test("a full run has no shortcomings, and tests of meshes may be skipped", () => {
  assert.deepEqual(findShortcomings(ALL, [passed("A"), { ...passed("MeshBasic"), outcome: "SKIP" }], FULL), []);
});

test("a test that failed or was skipped is told by its name, also where no profile counts it", () => {
  const results: readonly TestResult[] = [
    { ...passed("GRPCRouteNamedRule"), outcome: "SKIP" },
    { ...passed("HTTPRouteDisallowedKind"), outcome: "FAIL" },
  ];
  assert.deepEqual(findShortcomings(ALL, results, FULL), [
    "HTTPRouteDisallowedKind failed",
    "GRPCRouteNamedRule was skipped",
  ]);
});

test("a profile with one test less than the suite has is told", () => {
  const less = withChange((report) => ({ ...report, core: { statistics: { Passed: 18, Skipped: 0, Failed: 0 } } }));
  const wanted = ["GATEWAY-TLS core: 18 of 19 passed, 0 failed, 0 skipped"];
  assert.deepEqual(findShortcomings(ALL, [], less), wanted);
  assert.deepEqual(findShortcomings(CORE, [], less), wanted);
});

test("an unsupported feature is told, and does not matter to a run of core tests", () => {
  const lacking = withChange((report) => ({
    ...report,
    extended: {
      statistics: { Passed: 15, Skipped: 0, Failed: 0 },
      unsupportedFeatures: ["TLSRouteModeMixed"],
    },
  }));
  assert.deepEqual(findShortcomings(ALL, [], lacking), [
    "GATEWAY-TLS extended: 15 of 16 passed, 0 failed, 0 skipped",
    "GATEWAY-TLS: TLSRouteModeMixed is not supported",
  ]);
  assert.deepEqual(findShortcomings(CORE, [], lacking), []);
});

test("a profile that is missing in the report is told", () => {
  assert.deepEqual(findShortcomings(ALL, [], FULL.slice(1)), ["GATEWAY-HTTP is not in the report"]);
});

test("the output of Go's tests is read: how each ended, and what it said", () => {
  const output = new SuiteOutput();
  const lines = [
    "=== RUN   TestConformance",
    "=== RUN   TestConformance/First",
    "    a.go:1: of the first",
    "=== RUN   TestConformance/Second/sub",
    "    b.go:1: of the second",
    "=== NAME  TestConformance/First",
    "    a.go:2: again",
    "--- FAIL: TestConformance (10.00s)",
    "    --- FAIL: TestConformance/First (1.50s)",
    "        --- FAIL: TestConformance/First/sub (1.00s)",
    "    --- SKIP: TestConformance/Second (0.00s)",
  ];
  for (const line of lines) output.addLine(line);
  assert.deepEqual(output.results, [
    { name: "First", outcome: "FAIL", seconds: 1.5 },
    { name: "Second", outcome: "SKIP", seconds: 0 },
  ]);
  assert.match(output.outputOf("First"), /of the first\n.*NAME.*\n.*again/s);
  assert.doesNotMatch(output.outputOf("First"), /of the second/);
});

test("the table shows this run above the published ones", () => {
  const table = formatTable("sallyport 0.1.0", FULL, 363);
  assert.match(table, /sallyport 0\.1\.0 \(this run, 6m03s\) +36\/36 \+ 58\/58, 2\/2f/);
  assert.match(table, /agentgateway v1\.5\.0 +37 \+ 57, 38f/);
});
