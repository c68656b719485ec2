// HTTP/2 as others judge it: `npm run conformance:http2`. h2spec over TLS and in clear text with prior knowledge, and Python's h2 and
// hpack, whose fields must come back from a backend as they were sent. `-- --seed N --count N`: other requests of h2.
import { execFile } from "node:child_process";
import { promisify, parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { freePorts } from "@sallyport/testkit/process";
import { RawUpstream } from "@sallyport/testkit/raw-upstream";
import { runCommand } from "../command.ts";
import { plain } from "../faults/asking.ts";
import { startSystem } from "../system.ts";
import { openEcho } from "./echo.ts";
import { installH2spec, installPython } from "./tools.ts";

const run = promisify(execFile);
/** Milliseconds for one judge. */
const PATIENCE = 240_000;

interface Verdict {
  readonly judge: string;
  readonly passed: number;
  readonly failed: number;
  /** What the judge printed. */
  readonly output: string;
}

const { values } = parseArgs({
  options: { seed: { type: "string", default: "1" }, count: { type: "string", default: "2000" } },
});

async function main(): Promise<void> {
  // h2spec skips cases whose answers are too short
  const upstream = await RawUpstream.open(() => plain("an answer of more than a few bytes"));
  const echo = await openEcho();
  const [clear = 0, secure = 0, echoing = 0] = await freePorts(3);
  const system = await startSystem([
    { port: clear, backend: upstream.port },
    { port: secure, backend: upstream.port, secure: true },
    { port: echoing, backend: echo.port },
  ]);
  try {
    const verdicts = [
      await askH2spec("h2spec over TLS", ["-p", String(secure), "-t", "-k"]),
      await askH2spec("h2spec in clear text", ["-p", String(clear)]),
      await askPython(echoing),
    ];
    for (const { judge, passed, failed, output } of verdicts) {
      if (failed > 0 || passed === 0) console.log(output);
      console.log(`${judge}: ${passed} of ${passed + failed}`);
    }
    const epitaph = system.epitaph();
    if (epitaph !== undefined) console.log(epitaph);
    const passed = verdicts.reduce((sum, verdict) => sum + verdict.passed, 0);
    const failed = verdicts.reduce((sum, verdict) => sum + verdict.failed, 0);
    console.log(`${passed} passed, ${failed} failed`);
    if (failed > 0 || epitaph !== undefined || verdicts.some((verdict) => verdict.passed === 0)) process.exitCode = 1;
  } finally {
    await system.stop();
    await upstream.close();
    await echo.close();
  }
}

/** What h2spec skips it could not judge, so it counts as failed. */
async function askH2spec(judge: string, options: readonly string[]): Promise<Verdict> {
  const output = await listen(await installH2spec(), ["-h", "127.0.0.1", "-P", "/", "-o", "5", ...options]);
  const [, passed = "0", skipped = "0", failed = "1"] =
    /\d+ tests, (\d+) passed, (\d+) skipped, (\d+) failed/.exec(output) ?? [];
  return { judge, passed: Number(passed), failed: Number(skipped) + Number(failed), output };
}

async function askPython(port: number): Promise<Verdict> {
  const script = fileURLToPath(new URL("h2_judge.py", import.meta.url));
  const output = await listen(await installPython(), [script, String(port), values.seed, values.count]);
  const [, passed = "0", failed = "1"] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? [];
  return { judge: `Python h2 and hpack (seed ${values.seed})`, passed: Number(passed), failed: Number(failed), output };
}

/** Everything a program prints; judges say by their exit code that something was found. */
async function listen(command: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await run(command, args, { timeout: PATIENCE, maxBuffer: 1 << 26 });
    return stdout + stderr;
  } catch (error) {
    if (!(error instanceof Error) || !("stdout" in error) || !("stderr" in error)) throw error;
    return `${String(error.stdout)}${String(error.stderr)}`;
  }
}

await runCommand(main);
