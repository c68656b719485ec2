// The jury as a command: node conformance/jury/run.ts [--seed N] [--count N] [--peer COMMAND]
import { parseArgs } from "node:util";
import { setTimeout } from "node:timers/promises";
import { freePorts, startProcess } from "@sallyport/testkit/process";
import { dismiss, seatJudges } from "./bench.ts";
import { describeDisagreement, holdCourt, openCourtroom } from "./jury.ts";
import type { Courtroom } from "./jury.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "500" },
    peer: { type: "string" },
  },
});

/** A peer is started by a command with PORT and UPSTREAM in it, once for each judge. */
async function openPeerCourtroom(command: string): Promise<Courtroom> {
  const judges = await seatJudges();
  const ports = await freePorts(judges.length);
  const benches = judges.map((judge, index) => ({ judge, port: ports[index] ?? 0 }));
  const peers = benches.map(({ judge, port }) =>
    startProcess("/bin/sh", [
      "-c",
      `exec ${command.replace("PORT", String(port)).replace("UPSTREAM", String(judge.port))}`,
    ]),
  );
  // Nothing is known of a peer but its port; a second is enough for those that are worth comparing with.
  await setTimeout(1000);
  const close = async (): Promise<void> => {
    await Promise.all(peers.map((peer) => peer.stop(500)));
    await dismiss(judges);
  };
  return { benches, judges, close };
}

async function main(): Promise<void> {
  const courtroom = values.peer === undefined ? await openCourtroom() : await openPeerCourtroom(values.peer);
  try {
    const result = await holdCourt(courtroom.benches, Number(values.seed), Number(values.count));
    for (const disagreement of result.disagreements) console.log(describeDisagreement(disagreement));
    console.log(
      `${courtroom.judges.map((judge) => judge.name).join(", ")}: ${result.requests} requests heard (seed ${values.seed})`,
    );
    const failed = result.disagreements.length;
    if (failed > 0) process.exitCode = 1;
    console.log(`${result.inputs - failed} passed, ${failed} failed`);
  } finally {
    await courtroom.close();
  }
}

await main();
