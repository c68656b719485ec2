// The jury as a command: node conformance/jury/run.ts [--seed N] [--count N]
import { parseArgs } from "node:util";
import { runCommand } from "../command.ts";
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

await runCommand(main);
