// The protocol suite as a command: runs every case against Sallyport, or against another proxy that somebody started.
// node conformance/protocol/run.ts [--only REGEXP] [--slots N] [--target PORT --upstream PORT] [--slow]
import { parseArgs } from "node:util";
import { runCommand } from "../command.ts";
import { catalogue } from "./catalogue.ts";
import type { ProtocolCase } from "./case.ts";
import { openPeer, openRig } from "./fixture.ts";
import { show } from "./judge.ts";
import { runSuite } from "./suite.ts";
import type { Verdict } from "./suite.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    slots: { type: "string", default: "6" },
    target: { type: "string" },
    upstream: { type: "string" },
    slow: { type: "boolean", default: false },
  },
});

/** The case as people need it at a failure: what was sent, why it matters, what was wrong. */
function describe({ testCase, faults }: Verdict): string {
  const sent = testCase.send.map((step) => (typeof step === "string" ? show(step) : JSON.stringify(step)));
  const lines = [
    `FAILED ${testCase.id}`,
    `  why:  ${testCase.why}`,
    `  sent: ${sent.slice(0, 12).join(" | ")}`,
    ...(testCase.answers ?? []).map(
      (answer) =>
        `  backend ${answer.when}: ${answer.steps
          .slice(0, 8)
          .map((s) => show(String(typeof s === "object" ? JSON.stringify(s) : s)))
          .join(" | ")}`,
    ),
    ...faults.map((fault) => `  got:  ${fault}`),
  ];
  return lines.join("\n");
}

async function main(): Promise<void> {
  const pattern = new RegExp(values.only ?? "");
  const cases = catalogue.filter((testCase) => pattern.test(testCase.id));
  let passed = 0;
  let failed = 0;
  for (const scheme of values.target === undefined ? schemes() : (["http"] as const)) {
    const verdicts = await runOver(scheme, scheme === "http" ? cases : cases.filter(isForTls));
    const wrong = verdicts.filter((verdict) => verdict.faults.length > 0).length;
    console.log(`${scheme}: ${verdicts.length} cases, ${wrong} failed`);
    passed += verdicts.length - wrong;
    failed += wrong;
  }
  if (failed > 0) process.exitCode = 1;
  console.log(`${passed} passed, ${failed} failed`);
}

function isForTls({ notOverTls }: ProtocolCase): boolean {
  return notOverTls === undefined;
}

/** A peer is started by a command that says nothing of TLS. */
function schemes(): readonly ("http" | "https")[] {
  return process.env["CONFORMANCE_PEER"] === undefined ? ["http", "https"] : ["http"];
}

async function runOver(scheme: "http" | "https", cases: readonly ProtocolCase[]): Promise<readonly Verdict[]> {
  const peer = values.target !== undefined || process.env["CONFORMANCE_PEER"] !== undefined;
  const rig =
    values.target === undefined
      ? await openRig(Number(values.slots), scheme)
      : await openPeer(Number(values.target.split(":").at(-1)), Number(values.upstream));
  try {
    const verdicts = await runSuite(cases, rig.slots, peer ? "peer" : "sallyport", tell);
    const epitaph = rig.system?.epitaph();
    if (epitaph !== undefined) {
      console.log(epitaph);
      process.exitCode = 1;
    }
    return verdicts;
  } finally {
    await rig.close();
  }
}

function tell(verdict: Verdict): void {
  if (verdict.faults.length > 0) console.log(describe(verdict));
  if (values.slow && verdict.milliseconds > 500)
    console.log(`slow ${verdict.testCase.id} ${verdict.milliseconds | 0} ms`);
}

await runCommand(main);
