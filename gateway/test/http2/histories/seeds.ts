/** Which histories are tried, and how each is. */
import { runs } from "@sallyport/testkit/runs";
import { History } from "./history.ts";
import { judgeCopies, judgeEnd, judgeOutcomes, judgeRest } from "./judgement.ts";
import type { Plot } from "./plot.ts";

/**
 * Tries histories of a plot: `usual` many, or those of FUZZ_SEEDS=FROM-TO. The seed of one that fails is in the error, and by it the
 * history is the same again.
 */
export async function liveHistories(plot: Plot, usual: number): Promise<void> {
  const [first = 1, last = runs(usual)] = (process.env["FUZZ_SEEDS"] ?? "").split("-").filter(Boolean).map(Number);
  for (let seed = first; seed <= last; seed++)
    await live(new History(seed, plot), plot).catch((error: unknown) => {
      throw new Error(`FUZZ_SEEDS=${seed}-${seed}`, { cause: error });
    });
}

async function live(history: History, { requests, copies }: Plot): Promise<void> {
  const restore = turnClock(() => history.time.now);
  try {
    await history.run();
    judgeOutcomes(history, requests);
    // what is ignored of a request is read for a while; a copy may be silent for long
    await history.pass(copies === undefined ? 2500 : 150_000);
    if (copies !== undefined) judgeCopies(history);
    judgeRest(history);
    await history.leave();
    judgeEnd(history);
  } finally {
    restore();
  }
}

/** What parts of the gateway ask by themselves is the time of the history, too. Returns what undoes that. */
function turnClock(now: () => number): () => void {
  performance.now = now;
  // its own again, which is that of its prototype
  return () => void Reflect.deleteProperty(performance, "now");
}
