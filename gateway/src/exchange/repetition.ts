/**
 * Which requests go out once more after a try that failed, and what is kept of them for that.
 *
 * Two reasons are told apart. What no endpoint can have acted on goes out again at once, whatever the route says (as clients of gRPC
 * do: transparent retries), a few times and without counting against anything. All else is the rule's policy (../retry), which
 * waits, counts and asks the cluster's budget: retries.ts.
 *
 * For both the body must still be there, so small ones are kept until an answer begins: where a try may come back unseen (a call
 * of gRPC has sent its body by the time GOAWAY or REFUSED_STREAM comes) or where the rule has a policy.
 */
import type { FaultReason } from "@sallyport/model/fault";
import type { UpstreamConnection } from "../cluster/contract.ts";
import type { RequestHead } from "../head/request-head.ts";
import { toLatin1 } from "../wire/latin1.ts";
import { freeRoom, takeRoom } from "./body-room.ts";
import type { DownstreamStream, TryProgress, UpstreamStream } from "./contract.ts";
import type { Exchange } from "./exchange.ts";

/** How often a request may come back unseen before its client is told: a connection that is sent away, and two endpoints that left. */
const MAX_REPLAYS = 3;
/** After one connection that did not come up in time: who waits for a second one should not wait for a fourth. */
const MAX_REPLAYS_LATE = 1;
/** What another connection, or endpoint, may be better at. Who does not speak what is asked for is the same a moment later. */
const GONE: ReadonlySet<FaultReason> = new Set([
  "upstream-refused",
  "upstream-closed",
  "upstream-reset",
  "connect-failure",
  "connect-timeout",
]);
/** RFC 9110 section 9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"]);

/** Whether a try that failed may be followed by another one. */
export function isReplayable(exchange: Exchange, reason: FaultReason, progress: TryProgress): boolean {
  const { start, phase } = exchange;
  if (start === undefined || progress === "begun") return false;
  if (phase !== "forwarding" && phase !== "acquiring") return false;
  return progress === "unseen"
    ? isUnseenReplayable(exchange, start.head, reason)
    : isSilentReplayable(exchange, start.head, reason);
}

/** Nothing was done with it, whatever it asks for: it is repeated as long as all of it is still there. */
function isUnseenReplayable(exchange: Exchange, head: RequestHead, reason: FaultReason): boolean {
  const most = reason === "connect-timeout" ? MAX_REPLAYS_LATE : MAX_REPLAYS;
  return GONE.has(reason) && exchange.replays < most && isWhole(exchange, head);
}

/** Whether all of the request is still there to be sent once more. */
export function isWhole({ bodyBegun, kept }: Exchange, { framing }: RequestHead): boolean {
  return framing === "none" || !bodyBegun || kept !== undefined;
}

/** Whether doing it twice is as good as once. */
export function isIdempotent({ method }: RequestHead): boolean {
  return IDEMPOTENT.has(method);
}

/**
 * A connection that had been kept idle may have died just as it was used: the request goes out once more if repeating it is
 * safe (RFC 9112 section 9.3.1).
 */
function isSilentReplayable({ reused, replays }: Exchange, head: RequestHead, reason: FaultReason): boolean {
  if (!reused || replays > 0 || (reason !== "upstream-closed" && reason !== "upstream-reset")) return false;
  return head.framing === "none" && head.upgrade === "" && isIdempotent(head);
}

/**
 * What is kept at first: nothing yet, or undefined where no try can be repeated (HTTP/1.1 on a connection that is up, and no
 * policy) or the body is known to be too large.
 */
export function startKeeping(
  { rule, dependencies }: Exchange,
  head: RequestHead,
  { connected }: UpstreamConnection,
  { takesRaw }: UpstreamStream,
): string | undefined {
  if (head.framing === "length" && !dependencies.kept.retry.fits(head.contentLength)) return undefined;
  return takesRaw && connected && rule?.retry === undefined ? undefined : "";
}

/** Keeps a piece of the body, or gives up keeping. */
export function keepBody(exchange: Exchange, bytes: Buffer, from: number, to: number): void {
  const { kept = "", dependencies } = exchange;
  const more = to - from;
  if (dependencies.kept.retry.fits(kept.length + more) && takeRoom(exchange, "retry", more))
    exchange.kept = kept + toLatin1(bytes, from, to);
  else dropKept(exchange);
}

/** It will not be sent once more. */
export function dropKept(exchange: Exchange): void {
  if (exchange.kept === undefined) return;
  exchange.kept = undefined;
  freeRoom(exchange);
}

/** Sends what came of the body to another try, and goes on with the rest. */
export function repeatBody(exchange: Exchange, upstream: UpstreamStream, downstream: DownstreamStream): void {
  const bytes = Buffer.from(exchange.kept ?? "", "latin1");
  const isFull = bytes.length > 0 && upstream.sendBody(bytes, 0, bytes.length, undefined) === "full";
  if (exchange.requestEnded) upstream.endBody(exchange.requestTrailers);
  // where it is full, the codec says when to go on
  else if (!isFull) downstream.resumeBody();
  if (exchange.upstream === upstream) upstream.flush();
}
