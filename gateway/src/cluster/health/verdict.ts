/** What checks in a row make of an endpoint: no I/O, and only its checker calls this. */
import type { HealthCheck } from "@sallyport/model/traffic";
import { TIME, VERDICT, WORD, type EndpointWords } from "../../observe/health-words.ts";

/** How a check ended. */
export type CheckOutcome = "passed" | "failed" | "timed-out";

/** What is learned by one more check: whether it changes what the endpoint is taken for. */
export type VerdictChange = "healthy" | "unhealthy" | undefined;

/** Takes note of a check. The first one of all decides by itself. */
export function noteCheck(
  words: EndpointWords,
  outcome: CheckOutcome,
  { healthyThreshold, unhealthyThreshold }: Pick<HealthCheck, "healthyThreshold" | "unhealthyThreshold">,
  now: number,
): VerdictChange {
  const before = words.get(WORD.verdict);
  const passed = outcome === "passed";
  const streak = toStreak(words.get(WORD.streak), passed);
  words.set(WORD.streak, streak);
  const decides = before === VERDICT.unchecked || (passed ? streak >= healthyThreshold : -streak >= unhealthyThreshold);
  const after = passed ? VERDICT.healthy : VERDICT.unhealthy;
  if (!decides || after === before) return undefined;
  if (passed) words.setTime(TIME.fitSince, now);
  words.set(WORD.verdict, after);
  return passed ? "healthy" : "unhealthy";
}

/** Longer rows say nothing more. */
const LONGEST = 1_000_000;

function toStreak(before: number, passed: boolean): number {
  if (passed) return before > 0 ? Math.min(before + 1, LONGEST) : 1;
  return before < 0 ? Math.max(before - 1, -LONGEST) : -1;
}
