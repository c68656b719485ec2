// The jury as a command: node conformance/jury/run.ts [--seed N] [--count N]
import { parseArgs } from "node:util";
import { describeDisagreement, holdCourt, openCourtroom } from "./jury.ts";

const { values } = parseArgs({
  options: { seed: { type: "string", default: "1" }, count: { type: "string", default: "500" } },
});

async function main(): Promise<void> {
  const courtroom = await openCourtroom();
  try {
    const result = await holdCourt(courtroom.benches, Number(values.seed), Number(values.count));
    for (const disagreement of result.disagreements) console.log(describeDisagreement(disagreement));
    const names = courtroom.judges.map((judge) => judge.name).join(", ");
    console.log(`${names}: ${result.requests} requests heard (seed ${values.seed})`);
    const epitaph = courtroom.system.epitaph();
    if (epitaph !== undefined) console.log(epitaph);
    const failed = result.disagreements.length;
    if (failed > 0 || epitaph !== undefined) process.exitCode = 1;
    console.log(`${result.inputs - failed} passed, ${failed} failed`);
  } finally {
    await courtroom.close();
  }
}

// An exit, not the bare signal, so that what was started ends too.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
try {
  await main();
} catch (error) {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  console.error(`error: ${message}${cause instanceof Error ? `\n${cause.message}` : ""}`);
  process.exitCode = 1;
}
