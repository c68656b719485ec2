/**
 * `npm run check`: everything that reads the code without running it, side by side, in under 20 seconds. Prints each
 * stage with its time, and in full what a failing one says.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";

interface Stage {
  readonly name: string;
  /** Program in node_modules/.bin, and its arguments. */
  readonly command: readonly [string, ...string[]];
}

/** The slowest first, so that the two lanes end together. */
const STAGES: readonly Stage[] = [
  { name: "lint", command: ["oxlint", "--type-aware", "--deny-warnings"] },
  { name: "types", command: ["tsc", "--noEmit"] },
  { name: "unused", command: ["knip", "--no-progress", "--no-config-hints"] },
  { name: "architecture", command: ["node", "scripts/test.ts", "scripts/architecture"] },
  { name: "crds", command: ["node", "scripts/generate-crds.ts", "--check"] },
  { name: "docs", command: ["node", "scripts/generate-docs.ts", "--check"] },
  { name: "format", command: ["oxfmt", "--check"] },
];

interface Outcome {
  readonly stage: Stage;
  readonly ok: boolean;
}

const root = dirname(import.meta.dirname);
const bin = join(root, "node_modules", ".bin");
process.chdir(root);
process.exitCode = await main();

async function main(): Promise<number> {
  const { positionals } = parseArgs({ allowPositionals: true });
  const chosen = STAGES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const started = performance.now();
  const outcomes: Outcome[] = [];
  const waiting = chosen.values();
  const lane = async (): Promise<void> => {
    for (const stage of waiting) outcomes.push({ stage, ok: await run(stage) });
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  const failed = outcomes.filter(({ ok }) => !ok).map(({ stage }) => stage.name);
  console.log(`\nall checks: ${seconds(started)} s${failed.length > 0 ? `; failed: ${failed.join(", ")}` : ""}`);
  console.log(`${outcomes.length - failed.length} passed, ${failed.length} failed`);
  return outcomes.length > 0 && failed.length === 0 ? 0 : 1;
}

async function run({ name, command: [program, ...args] }: Stage): Promise<boolean> {
  const started = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const child = spawn(program === "node" ? process.execPath : join(bin, program), args, {
    stdio: ["ignore", "pipe", "pipe"],
    // These are Node programs too: they must find the pinned Node first.
    env: { ...process.env, PATH: `${bin}:${process.env["PATH"] ?? ""}` },
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.on("error", reject);
  child.on("close", (code) => resolve(code ?? 1));
  const code = await promise;
  const took = `${seconds(started)} s`;
  if (code === 0) console.log(`ok      ${name} (${took})`);
  else console.log(`\nFAILED  ${name} (${took}): ${program} ${args.join(" ")}\n${Buffer.concat(chunks).toString()}`);
  return code === 0;
}

function seconds(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(1);
}
