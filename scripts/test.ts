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
  /** Most files of one process. Starting one and loading what it tests costs as much as most files do. */
  readonly share: number;
  /** True where only files of one folder share a process. */
  readonly byFolder: boolean;
}

/**
 * In milliseconds, of one test and of one process: what hangs must end some day, and what is only slow, on a machine with ten
 * other things to do, must not be taken for it.
 */
const TEST_TIMEOUT = 180_000;
const PROCESS_TIMEOUT = 600_000;

const PACKAGES = "{model,policies,gateway,controller,cli,testkit,conformance,loadtest}";

const STAGES: readonly Stage[] = [
  {
    name: "unit",
    globs: [`${PACKAGES}/src/**/*.test.ts`],
    share: 40,
    byFolder: false,
  },
  {
    name: "architecture",
    globs: ["scripts/**/*.test.ts"],
    share: 4,
    byFolder: false,
  },
  {
    name: "feature",
    globs: ["{model,policies,gateway,controller,cli,testkit}/test/**/*.test.ts", "examples/**/*.test.ts"],
    share: 6,
    byFolder: true,
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
  const groups = divide(stage, files).map((group) => toGroup(group, reporter));
  const results = await runAll(groups, (result) => process.stdout.write(result.output));
  await findLeaks(results.filter(({ leaks }) => leaks.length > 0).flatMap((result) => result.files));
  const counts = sum(results);
  console.log(`${stage.name}: ${seconds(started)} s`);
  console.log(closingLine(counts));
  return counts;
}

/** Neighbours stay together: they load the same modules. */
function divide({ share, byFolder }: Stage, files: readonly string[]): string[][] {
  const groups: string[][] = [];
  for (const file of files) {
    const last = groups.at(-1);
    const [first] = last ?? [];
    const fits = first !== undefined && (!byFolder || dirname(first) === dirname(file));
    if (last !== undefined && fits && last.length < share) last.push(file);
    else groups.push([file]);
  }
  return groups;
}

function toGroup(files: readonly string[], reporter?: string): TestGroup {
  return { files, testTimeout: TEST_TIMEOUT, timeout: PROCESS_TIMEOUT, reporter };
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

/** Something was left open by one of several files in one process: runs each alone to name the one. */
async function findLeaks(files: readonly string[]): Promise<void> {
  await runAll(
    files.map((file) => toGroup([file])),
    (result) => {
      if (result.leaks.length > 0)
        console.log(`        ${result.files.join(" ")} leaves open: ${result.leaks.join(", ")}`);
    },
  );
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
