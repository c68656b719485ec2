/**
 * `npm test`: every stage that needs nothing but Node. Each stage prints its name, its time and, as its last line,
 * `N passed, N failed`.
 */
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { runGroup, type GroupResult, type TestGroup } from "./test-group.ts";
import type { TestCounts } from "./test-reporter.ts";

type Counts = Omit<TestCounts, "leaks">;

const USAGE = `usage: npm test -- [STAGE | PATH]... [--update] [--reporter NAME]
  STAGE         unit, architecture or feature
  PATH          a fragment of the path of test files
  --update      rewrite the golden files (then read the diff)
  --reporter    also print with one of Node's reporters, such as spec`;

interface Stage {
  readonly name: string;
  readonly globs: readonly string[];
  /** All files in one process (a hundred files in a second), or one process for each. */
  readonly processes: "one" | "per-file";
  /** Of one test, in milliseconds. */
  readonly testTimeout: number;
  /** Of one process, in milliseconds. */
  readonly timeout: number;
}

const PACKAGES = "{model,policies,gateway,controller,cli,testkit,conformance,loadtest}";

const STAGES: readonly Stage[] = [
  {
    name: "unit",
    globs: [`${PACKAGES}/src/**/*.test.ts`],
    processes: "one",
    testTimeout: 20_000,
    timeout: 120_000,
  },
  {
    name: "architecture",
    globs: ["scripts/**/*.test.ts"],
    processes: "one",
    testTimeout: 20_000,
    timeout: 60_000,
  },
  {
    name: "feature",
    globs: ["{model,policies,gateway,controller,cli,testkit}/test/**/*.test.ts", "examples/**/*.test.ts"],
    processes: "per-file",
    testTimeout: 60_000,
    timeout: 180_000,
  },
];

interface Options {
  readonly wanted: readonly string[];
  readonly reporter: string | undefined;
}

process.chdir(dirname(import.meta.dirname));
process.exitCode = await main();

async function main(): Promise<number> {
  const options = readOptions();
  const started = performance.now();
  const stages: Counts[] = [];
  for (const stage of STAGES) {
    const files = select(stage, options);
    if (files.length > 0) stages.push(await runStage(stage, files, options.reporter));
  }
  const total = sum(stages);
  if (total.passed + total.failed === 0) console.log("no test matches");
  console.log(`\nall stages: ${seconds(started)} s`);
  console.log(`total: ${closingLine(total)}`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

function readOptions(): Options {
  try {
    const { values, positionals } = parseArgs({
      options: { update: { type: "boolean" }, reporter: { type: "string" } },
      allowPositionals: true,
    });
    if (values.update === true) process.env["UPDATE_GOLDENS"] = "1";
    return { wanted: positionals, reporter: values.reporter };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(2);
  }
}

function select(stage: Stage, { wanted }: Options): string[] {
  const names = new Set(STAGES.map(({ name }) => name));
  const stages = wanted.filter((word) => names.has(word));
  if (stages.length > 0 && !stages.includes(stage.name)) return [];
  const fragments = wanted.filter((word) => !names.has(word)).map((word) => word.replace(/^\.\//, ""));
  const matches = (file: string): boolean => fragments.length === 0 || fragments.some((part) => file.includes(part));
  const files = globSync([...stage.globs], { exclude: ["**/node_modules/**"] }).toSorted();
  return files.filter(matches);
}

async function runStage(stage: Stage, files: readonly string[], reporter: string | undefined): Promise<Counts> {
  const started = performance.now();
  console.log(`\n== ${stage.name} (${files.length} ${files.length === 1 ? "file" : "files"})`);
  const { testTimeout, timeout } = stage;
  const groups: TestGroup[] = (stage.processes === "one" ? [files] : files.map((file) => [file])).map((group) => ({
    files: group,
    testTimeout,
    timeout,
    reporter,
  }));
  const results = await runAll(groups, (result) => process.stdout.write(result.output));
  const counts = sum(results);
  if (files.length > 1 && stage.processes === "one" && results.some(({ leaks }) => leaks.length > 0)) {
    await findLeaks(files, { testTimeout, timeout, reporter: undefined });
  }
  console.log(`${stage.name}: ${seconds(started)} s`);
  console.log(closingLine(counts));
  return counts;
}

/** As many groups at a time as there are processors. */
async function runAll(groups: readonly TestGroup[], onEnd: (result: GroupResult) => void): Promise<GroupResult[]> {
  const results: GroupResult[] = [];
  const waiting = groups.values();
  const lane = async (): Promise<void> => {
    for (const group of waiting) {
      const result = await runGroup(group);
      onEnd(result);
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  return results;
}

/** Something was left open by one of many files in one process: runs each alone to name the one. */
async function findLeaks(files: readonly string[], options: Omit<TestGroup, "files">): Promise<void> {
  const groups = files.map((file): TestGroup => ({ ...options, files: [file] }));
  await runAll(groups, (result) => {
    if (result.leaks.length > 0)
      console.log(`        ${result.files.join(" ")} leaves open: ${result.leaks.join(", ")}`);
  });
}

function sum(counts: readonly Counts[]): Counts {
  return {
    passed: counts.reduce((total, { passed }) => total + passed, 0),
    failed: counts.reduce((total, { failed }) => total + failed, 0),
    skipped: counts.reduce((total, { skipped }) => total + skipped, 0),
  };
}

function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

function seconds(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(1);
}
