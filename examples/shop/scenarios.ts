/** The mechanisms that can be tried, by the names of their files. */
import { circuitBreaker } from "./mechanisms/circuit-breaker.ts";
import { consistentHashing } from "./mechanisms/consistent-hashing.ts";
import { faultInjection } from "./mechanisms/fault-injection.ts";
import { healthChecks } from "./mechanisms/health-checks.ts";
import { locality } from "./mechanisms/locality.ts";
import { outlierDetection } from "./mechanisms/outlier-detection.ts";
import { retries } from "./mechanisms/retries.ts";
import { retryBudget } from "./mechanisms/retry-budget.ts";
import { session } from "./mechanisms/session.ts";
import { slowStart } from "./mechanisms/slow-start.ts";
import { timeouts } from "./mechanisms/timeouts.ts";
import type { Scenario } from "./scenario.ts";

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  retries,
  "retry-budget": retryBudget,
  timeouts,
  "circuit-breaker": circuitBreaker,
  "outlier-detection": outlierDetection,
  "health-checks": healthChecks,
  "slow-start": slowStart,
  "consistent-hashing": consistentHashing,
  locality,
  session,
  "fault-injection": faultInjection,
};
