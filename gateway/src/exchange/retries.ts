/**
 * Retries by the policy of a rule: a try that failed, or whose answer the policy does not take for one, is followed by another
 * after a while, while attempts and the cluster's budget last. An answer is decided upon at its head, so nothing of one that is
 * retried ever reached the client, and what reached the client is never retried.
 */
import type { FaultReason, ResponseFlag } from "@sallyport/model/fault";
import type { ResponseHead } from "../head/response-head.ts";
import { type CompiledRetry, toWait } from "../retry/policy.ts";
import type { TryProgress } from "./contract.ts";
import type { Exchange } from "./exchange.ts";
import { failExchange } from "./local-reply.ts";
import { isIdempotent, isWhole } from "./repetition.ts";
import { endRetry, type Retries } from "./retry-state.ts";

/** What comes of asking for a retry: it is made, or why it is not, as a flag ("-": the policy does not ask for it). */
type Outcome = "retried" | ResponseFlag;

/** A try has failed, and is not simply repeated: it is retried where the rule's policy says so, else the exchange fails. */
export function failTry(exchange: Exchange, reason: FaultReason, progress: TryProgress): void {
  const outcome = retryFault(exchange, reason, progress);
  if (outcome === "-") failExchange(exchange, reason);
  else if (outcome !== "retried") failExchange(exchange, reason, reason, outcome);
}

/** Whether the answer with this head is dropped because the request is tried once more. */
export function isRetried(exchange: Exchange, head: ResponseHead): boolean {
  const { retries, dependencies } = exchange;
  const outcome = retryAnswer(exchange, head);
  if (outcome === "retried") return true;
  if (outcome !== "-") exchange.flag = outcome;
  else if (retries !== undefined) dependencies.recorder.upstreamRetry("success");
  if (retries !== undefined) endRetry(retries);
  return false;
}

/** The wait before the next try is over. */
export function retryNow(exchange: Exchange): void {
  exchange.phase = "acquiring";
  exchange.cluster?.acquire(exchange, exchange.retries?.fresh === true);
}

/** What comes of the body while there is no try has nowhere to go. */
export function pauseRequest({ bodyMode, requestEnded, start }: Exchange): void {
  if (bodyMode !== undefined && !requestEnded) start?.downstream.pauseBody();
}

function retryFault(exchange: Exchange, reason: FaultReason, progress: TryProgress): Outcome {
  const { start, rule, phase } = exchange;
  const policy = rule?.retry;
  if (start === undefined || policy === undefined || (phase !== "forwarding" && phase !== "acquiring")) return "-";
  const { head } = start;
  const unseen = progress === "unseen";
  // who asked for another protocol may have got it
  if (head.upgrade !== "" && !unseen) return "-";
  if (!policy.coversFault({ reason, unseen, idempotent: isIdempotent(head) }) || !isWhole(exchange, head)) return "-";
  return retry(exchange, policy, { fresh: !unseen, ended: reason === "upstream-timeout" ? "late" : "failed" });
}

function retryAnswer(exchange: Exchange, answer: ResponseHead): Outcome {
  const { start, rule } = exchange;
  const policy = rule?.retry;
  if (start === undefined || policy === undefined || start.head.upgrade !== "") return "-";
  if (!policy.coversAnswer(answer.status, answer)) return "-";
  if (!isWhole(exchange, start.head)) return "-";
  return retry(exchange, policy, { fresh: false, ended: "answered", answer });
}

/** How the try before ended. */
interface LastTry {
  /** Lost with its connection: others that were open then may be as dead. */
  readonly fresh: boolean;
  /** `answered`: the body of the answer is still to come. */
  readonly ended: "answered" | "failed" | "late";
  /** Its head. */
  readonly answer?: ResponseHead;
}

/** Makes one more try, if it may be made. */
function retry(exchange: Exchange, policy: CompiledRetry, { fresh, ended, answer }: LastTry): Outcome {
  const { dependencies, cluster, connection } = exchange;
  const { recorder } = dependencies;
  const retries: Retries = exchange.retries ?? { made: 0, tried: [], owes: undefined, fresh };
  const wait = retries.made < policy.attempts ? chooseWait(exchange, policy, retries.made + 1, answer) : undefined;
  if (wait === undefined) {
    recorder.upstreamRetry("exhausted");
    return "URX";
  }
  // the one before is over: its place in the budget is the first that is free
  endRetry(retries);
  if (cluster?.retries.begin() !== true) {
    recorder.upstreamRetry("overflow");
    return "UO";
  }
  exchange.retries = retries;
  retries.owes = cluster;
  retries.made++;
  retries.fresh = fresh;
  if (connection !== undefined && !retries.tried.includes(connection.endpoint)) retries.tried.push(connection.endpoint);
  recorder.upstreamRetry("made");
  leaveTry(exchange, ended);
  backOff(exchange, wait);
  return "retried";
}

/** Undefined: the answer asks for a longer wait than there may be. */
function chooseWait(
  { dependencies, timers }: Exchange,
  { backoff }: CompiledRetry,
  retry: number,
  answer: ResponseHead | undefined,
): number | undefined {
  return toWait(backoff, answer, { retry, drawn: dependencies.random(), left: timers.left, now: Date.now() });
}

function leaveTry(exchange: Exchange, ended: LastTry["ended"]): void {
  const { upstream, cluster } = exchange;
  exchange.upstream = undefined;
  exchange.avoids = undefined;
  exchange.upstreamFailure = "";
  exchange.phase = "waiting";
  // its time can be over while it waits for another connection
  if (upstream === undefined) cluster?.cancel(exchange);
  else if (ended === "answered") upstream.discard();
  else upstream.cancel(ended === "late");
}

function backOff(exchange: Exchange, milliseconds: number): void {
  exchange.timers.endTry();
  exchange.timers.backOff(milliseconds);
  pauseRequest(exchange);
}
