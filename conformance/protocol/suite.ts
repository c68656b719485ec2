// Spreads cases over slots: each slot runs one case at a time, all slots run at once.
import type { ProtocolCase } from "./case.ts";
import { exercise } from "./exercise.ts";
import type { Slot } from "./exercise.ts";
import { judge } from "./judge.ts";
import type { Subject } from "./judge.ts";

/** One case that was run: its faults, none if it passed, and how long it took. */
export interface Verdict {
  readonly testCase: ProtocolCase;
  readonly faults: readonly string[];
  readonly milliseconds: number;
}

/** Runs the cases and tells each verdict as it comes; resolves with all of them. */
export async function runSuite(
  cases: readonly ProtocolCase[],
  slots: readonly Slot[],
  subject: Subject,
  tell: (verdict: Verdict) => void = () => {},
): Promise<readonly Verdict[]> {
  const waiting = [...cases];
  const verdicts: Verdict[] = [];
  const work = async (slot: Slot): Promise<void> => {
    for (let testCase = waiting.shift(); testCase !== undefined; testCase = waiting.shift()) {
      const verdict = await runCase(testCase, slot, subject);
      verdicts.push(verdict);
      tell(verdict);
    }
  };
  await Promise.all(slots.map(work));
  return verdicts;
}

/** Runs one case; a harness that fails (nobody listens) is a fault of the case too. */
export async function runCase(testCase: ProtocolCase, slot: Slot, subject: Subject): Promise<Verdict> {
  const begun = performance.now();
  const faults = await exercise(testCase, slot).then(
    (seen) => judge(testCase, seen, subject),
    (error: unknown) => [`could not be run: ${String(error)}`],
  );
  return { testCase, faults, milliseconds: performance.now() - begun };
}
