// The client of handshakes as a program: `handshake-load.ts SETUP-AS-JSON` makes connections as fast as they go, or at a
// fixed rate, and prints what it counted in the form of the closed loop's totals. Connections of a wrong kind end it with 1.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeClientSetup } from "../client-setup.ts";
import { totalsLine } from "../closed-loop.ts";
import { monotonicMs } from "../open-loop/clock.ts";
import { arrivalsBy } from "../open-loop/schedule.ts";
import { HandshakeCaller } from "./handshakes.ts";
import { pinnedContext } from "./negotiation.ts";

const tickMs = 2;
/** More failures than this share mean that something else was measured. */
const toleratedFailures = 0.01;

const setup = decodeClientSetup(process.argv[2] ?? "");
const [first = ""] = readFileSync(setup.requestFile, "latin1").split("\0");
const { port, sessions } = setup;
const shared = {
  port,
  sessions,
  request: Buffer.from(first, "latin1"),
  context: pinnedContext(readFileSync(setup.certificate)),
};
const callers = Array.from({ length: setup.connections }, () => new HandshakeCaller(shared));
await Promise.all(callers.map((caller) => caller.prime()));

const startMs = monotonicMs();
const endMs = startMs + setup.seconds * 1000;
await (setup.rate === 0 ? callAll() : callAtRate(setup.rate));
report();

async function callAll(): Promise<void> {
  const callOn = async (caller: HandshakeCaller): Promise<void> => {
    while (monotonicMs() < endMs) await caller.call();
  };
  await Promise.all(callers.map(callOn));
}

/** Arrivals that find every caller busy are dropped: the rate is a load to add, not a latency to measure. */
async function callAtRate(rate: number): Promise<void> {
  const idle = [...callers];
  let arrived = 0;
  const tick = (): void => {
    const due = arrivalsBy(monotonicMs() - startMs, rate);
    for (; arrived < due; arrived++) {
      const caller = idle.pop();
      if (caller !== undefined) void caller.call().then(() => idle.push(caller));
    }
  };
  const ticking = setInterval(tick, tickMs);
  await sleep(setup.seconds * 1000);
  clearInterval(ticking);
}

function report(): void {
  const sum = (of: (caller: HandshakeCaller) => number): number => callers.reduce((all, each) => all + of(each), 0);
  const requests = sum(({ totals }) => totals.requests);
  const failures = sum(({ totals }) => totals.failures);
  const bytes = sum(({ totals }) => totals.bytes);
  const reason = callers.map(({ totals }) => totals.reason).find((text) => text !== "");
  if (failures > requests * toleratedFailures) {
    process.stderr.write(`error: ${failures} of ${failures + requests} connections failed: ${reason ?? ""}\n`);
    process.exitCode = 1;
  }
  const seconds = (monotonicMs() - startMs) / 1000;
  process.stdout.write(totalsLine({ requests, seconds, bytes, failures }), () => process.exit());
}
