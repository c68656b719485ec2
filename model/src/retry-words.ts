/** The words and codes that say what is retried, as Envoy (x-envoy-retry-on), Istio (retryOn) and policies write them. */
import { fail, ok, type Result } from "./result.ts";
import type { RetryCause, RetryPolicy } from "./retry.ts";
import { suggestName } from "./suggest.ts";

/** What a list of words and codes comes to. */
export type RetryOn = Pick<RetryPolicy, "on" | "statuses">;

/** A word, and what it asks for; `nothing`: it may be written, and says nothing that is not said elsewhere. */
const WORDS = {
  "5xx": "5xx",
  "gateway-error": "gateway-error",
  reset: "reset",
  "reset-before-request": "reset-before-request",
  "connect-failure": "connect-failure",
  "refused-stream": "refused-stream",
  timeout: "timeout",
  "retriable-4xx": "retriable-4xx",
  "envoy-ratelimited": "envoy-ratelimited",
  cancelled: "cancelled",
  "deadline-exceeded": "deadline-exceeded",
  internal: "internal",
  "resource-exhausted": "resource-exhausted",
  unavailable: "unavailable",
  // Envoy takes the codes and names from other settings: codes are in this list, no setting names fields, nobody speaks HTTP/3
  "retriable-status-codes": "nothing",
  "retriable-headers": "nothing",
  "http3-post-connect-failure": "nothing",
} as const satisfies Readonly<Record<RetryCause, RetryCause>> & Readonly<Record<string, RetryCause | "nothing">>;

/**
 * Reads a list of words and status codes (`5xx,reset,429`), separated by commas; empty parts are skipped. The error says which part
 * nobody knows.
 */
export function parseRetryOn(words: string): Result<RetryOn, string> {
  const on = new Set<RetryCause>();
  const statuses = new Set<number>();
  for (const part of words.split(",")) {
    const word = part.trim();
    if (word === "") continue;
    if (/^[0-9]+$/.test(word)) {
      if (!isStatus(word)) return fail(`"${word}" is no status of an answer: those are 200 to 599`);
      statuses.add(Number(word));
    } else if (isWord(word)) {
      const cause = WORDS[word];
      if (cause !== "nothing") on.add(cause);
    } else return fail(toUnknown(word));
  }
  return ok({ on: [...on], statuses: [...statuses] });
}

function isWord(word: string): word is keyof typeof WORDS {
  return Object.hasOwn(WORDS, word);
}

/** Those below 200 are followed by another one. */
function isStatus(word: string): boolean {
  return word.length === 3 && word >= "200" && word <= "599";
}

function toUnknown(word: string): string {
  const meant = suggestName(word, Object.keys(WORDS));
  return meant === undefined
    ? `"${word}" is neither a status nor one of ${Object.keys(WORDS).join(", ")}`
    : `"${word}" says nothing; did you mean "${meant}"?`;
}
