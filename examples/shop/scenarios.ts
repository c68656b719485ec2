/** The mechanisms that can be tried, by the names of their files. */
import { circuitBreaker } from "./mechanisms/circuit-breaker.ts";
import { clientLimits } from "./mechanisms/client-limits.ts";
import { compression } from "./mechanisms/compression.ts";
import { consistentHashing } from "./mechanisms/consistent-hashing.ts";
import { errorPages } from "./mechanisms/error-pages.ts";
import { faultInjection } from "./mechanisms/fault-injection.ts";
import { healthChecks } from "./mechanisms/health-checks.ts";
import { locality } from "./mechanisms/locality.ts";
import { outlierDetection } from "./mechanisms/outlier-detection.ts";
import { requestBodies } from "./mechanisms/request-bodies.ts";
import { retries } from "./mechanisms/retries.ts";
import { retryBudget } from "./mechanisms/retry-budget.ts";
import { rollout } from "./mechanisms/rollout.ts";
import { session } from "./mechanisms/session.ts";
import { slowStart } from "./mechanisms/slow-start.ts";
import { timeouts } from "./mechanisms/timeouts.ts";
import { weights } from "./mechanisms/weights.ts";
import type { Scenario } from "./scenario.ts";

/** In the order in which `try.ts` lists them, and the test runs them. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  retries,
  "retry-budget": retryBudget,
  timeouts,
  "circuit-breaker": circuitBreaker,
  "slow-start": slowStart,
  "outlier-detection": outlierDetection,
  "health-checks": healthChecks,
  "consistent-hashing": consistentHashing,
  locality,
  session,
  weights,
  rollout,
  "fault-injection": faultInjection,
  "error-pages": errorPages,
  compression,
  "request-bodies": requestBodies,
  "client-limits": clientLimits,
};
