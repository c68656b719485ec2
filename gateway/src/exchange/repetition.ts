/**
 * Which requests go out once more after a try that failed, and what is kept of them for that. Only what no server can have
 * acted on is repeated, or what may be done twice.
 *
 * A call of gRPC has sent its body by the time the endpoint says that it did nothing with it (GOAWAY, REFUSED_STREAM), so small
 * bodies are kept until an answer begins, as clients of gRPC do for their transparent retries.
 */
import type { FaultReason } from "@sallyport/model/fault";
import type { UpstreamConnection } from "../cluster/contract.ts";
import type { RequestHead } from "../head/request-head.ts";
import { toLatin1 } from "../wire/latin1.ts";
import type { DownstreamStream, TryProgress, UpstreamStream } from "./contract.ts";
import type { Exchange } from "./exchange.ts";

/** How often a request may come back unseen before its client is told: a connection that is sent away, and two endpoints that left. */
const MAX_REPLAYS = 3;
/** Bytes of a body that are kept. */
const MOST_KEPT = 16_384;
/** What another connection, or endpoint, may be better at. Who does not speak what is asked for is the same a moment later. */
const GONE: ReadonlySet<FaultReason> = new Set([
  "upstream-refused",
  "upstream-closed",
  "upstream-reset",
  "connect-failure",
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
  if (!GONE.has(reason) || exchange.replays >= MAX_REPLAYS) return false;
  return head.framing === "none" || !exchange.bodyBegun || exchange.kept !== undefined;
}

/**
 * A connection that had been kept idle may have died just as it was used: the request goes out once more if repeating it is
 * safe (RFC 9112 section 9.3.1).
 */
function isSilentReplayable({ reused, replays }: Exchange, head: RequestHead, reason: FaultReason): boolean {
  if (!reused || replays > 0 || (reason !== "upstream-closed" && reason !== "upstream-reset")) return false;
  return head.framing === "none" && head.upgrade === "" && IDEMPOTENT.has(head.method);
}

/**
 * What is kept at first: nothing yet, or undefined where no try can come back unseen (HTTP/1.1 on a connection that is up) or
 * the body is known to be too large.
 */
export function startKeeping(
  head: RequestHead,
  { connected }: UpstreamConnection,
  { takesRaw }: UpstreamStream,
): string | undefined {
  const isLarge = head.framing === "length" && head.contentLength > MOST_KEPT;
  return isLarge || (takesRaw && connected) ? undefined : "";
}

/** Keeps a piece of the body, or gives up keeping. */
export function keepBody(exchange: Exchange, bytes: Buffer, from: number, to: number): void {
  const { kept = "" } = exchange;
  exchange.kept = kept.length + to - from > MOST_KEPT ? undefined : kept + toLatin1(bytes, from, to);
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
