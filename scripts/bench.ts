/**
 * `npm run bench`: runs the micro-benchmarks `*.bench.ts`, each round in a fresh process, and prints ns per operation. With
 * `--against REF` the same files run in a work tree of that git revision too, turn by turn, so that both sides meet the same
 * weather.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import type { BenchResult } from "@sallyport/testkit/bench";

const USAGE = "usage: npm run bench -- [NAME...] [--against REF] [--rounds N]";
const BENCH_LIBRARY = "testkit/src/bench.ts";

interface Side {
  readonly label: string;
  readonly directory: string;
  /** Results of all rounds, by `file > name`. */
  readonly results: Map<string, BenchResult[]>;
}

const root = dirname(import.meta.dirname);
const { values, positionals } = readArguments();
const rounds = Number(values.rounds);
const files = globSync("{model,policies,gateway,controller}/src/**/*.bench.ts", { cwd: root })
  .toSorted()
  .filter((file) => positionals.length === 0 || positionals.some((name) => file.includes(name)));
if (files.length === 0 || !(rounds >= 1)) {
  console.error(`no benchmark matches\n${USAGE}`);
  process.exit(2);
}

if (values.against === undefined) {
  run([{ label: "here", directory: root, results: new Map() }]);
} else {
  const directory = checkOut(values.against);
  try {
    run([
      { label: values.against, directory, results: new Map() },
      { label: "here", directory: root, results: new Map() },
    ]);
  } finally {
    execFileSync("git", ["worktree", "remove", "--force", directory], { cwd: root });
    rmSync(dirname(directory), { recursive: true, force: true });
  }
}

function readArguments(): { values: { against?: string; rounds: string }; positionals: string[] } {
  try {
    return parseArgs({
      options: { against: { type: "string" }, rounds: { type: "string", default: "5" } },
      allowPositionals: true,
    });
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(2);
  }
}

function run(sides: readonly Side[]): void {
  for (let round = 0; round < rounds; round++) {
    // Whoever goes second finds warmer caches; take turns.
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      for (const file of files) runFile(side, file);
    }
  }
  print(sides);
}

function runFile(side: Side, file: string): void {
  let output: string;
  try {
    output = execFileSync(process.execPath, [join(side.directory, file)], {
      cwd: side.directory,
      encoding: "utf8",
      env: { ...process.env, SALLYPORT_BENCH: "json" },
      stdio: ["ignore", "pipe", "inherit"],
    });
  } catch (error) {
    throw new Error(`${file} failed at ${side.label}; if its subject has another shape there, compare by hand`, {
      cause: error,
    });
  }
  for (const line of output.split("\n").filter((text) => text.startsWith("{"))) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- printed by our own bench()
    const result = JSON.parse(line) as BenchResult;
    const key = `${file} > ${result.name}`;
    side.results.set(key, [...(side.results.get(key) ?? []), result]);
  }
}

function print(sides: readonly Side[]): void {
  const [first, last] = [sides[0], sides.at(-1)];
  for (const key of last?.results.keys() ?? []) {
    const columns = sides.map(({ label, results }) => `${label} ${summary(results.get(key) ?? [])}`);
    const ratio = sides.length < 2 ? "" : `  ratio ${(best(last, key) / best(first, key)).toFixed(3)}`;
    console.log(`${key}\n    ${columns.join(" | ")}${ratio}`);
  }
}

function best(side: Side | undefined, key: string): number {
  return Math.min(...(side?.results.get(key) ?? []).map(({ minimum }) => minimum));
}

function summary(results: readonly BenchResult[]): string {
  const medians = results.map(({ median }) => median).toSorted((a, b) => a - b);
  const minimum = Math.min(...results.map((result) => result.minimum));
  return `min ${minimum.toFixed(1)} ns, median ${(medians[medians.length >> 1] ?? 0).toFixed(1)} ns`;
}

/** A work tree of the revision with our node_modules, in which our own packages are that revision's. */
function checkOut(revision: string): string {
  const directory = join(mkdtempSync(join(tmpdir(), "sallyport-bench-")), "tree");
  execFileSync("git", ["worktree", "add", "--quiet", "--detach", directory, revision], { cwd: root });
  mkdirSync(join(directory, "node_modules", "@sallyport"), { recursive: true });
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (name !== "@sallyport") symlinkSync(join(root, "node_modules", name), join(directory, "node_modules", name));
  }
  for (const name of readdirSync(join(root, "node_modules", "@sallyport"))) {
    symlinkSync(join(directory, name), join(directory, "node_modules", "@sallyport", name));
  }
  // The benchmarks of today measure the code of then.
  for (const file of [BENCH_LIBRARY, ...files]) {
    if (existsSync(join(directory, dirname(file)))) copyFileSync(join(root, file), join(directory, file));
  }
  return directory;
}
