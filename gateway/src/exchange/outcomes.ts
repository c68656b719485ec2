/**
 * What endpoints are told of the tries on them: how each ended, once. That is what takes them out (outlier detection), so it counts only
 * what they, or the way to them, are to blame for.
 *
 * | a try ended | its endpoint is told |
 * |---|---|
 * | with the head of an answer, also one that is retried, and 101 | that status; for a call whose head says how it went, what that is in HTTP |
 * | without an answer: no connection, reset, refused, not HTTP | the failure |
 * | because it took too long, after it got the whole request | `upstream-timeout` |
 * | with the client: it left, its deadline passed, or its body never came | nothing |
 * | with its connection, before the client's body was whole | nothing: servers end so what is too slow or too long for them |
 * | by our doing: filters, overload, drain, bugs | nothing |
 *
 * An answer that breaks off counts twice, as in Envoy: its head was one, its end is a failure. How tunnels end says nothing: those of
 * a server that goes away break off by the thousands. Mirrors tell nothing.
 */
import { FAULTS, type FaultReason } from "@sallyport/model/fault";
import type { ResponseHead } from "../head/response-head.ts";
import type { Exchange } from "./exchange.ts";
import { toHttpStatus } from "./grpc.ts";

/** The head of an answer came. */
export function noteAnswer({ start, connection }: Exchange, head: ResponseHead): void {
  if (connection === undefined) return;
  const isCall = start !== undefined && start.head.isGrpc;
  connection.endpoint.noteAnswer(isCall ? toHttpStatus(head.status, head.received("grpc-status")) : head.status);
}

/** The try failed. */
export function noteFailure({ connection, phase, requestEnded, start }: Exchange, reason: FaultReason): void {
  if (connection === undefined || phase === "tunnel" || FAULTS[reason].source !== "upstream") return;
  const isWhole = requestEnded || start?.head.framing === "none";
  if (!isWhole && GIVEN_UP.has(reason)) return;
  connection.endpoint.noteFailure(reason);
}

/** How a server ends an upload that is too slow or too long for it. */
const GIVEN_UP: ReadonlySet<FaultReason> = new Set(["upstream-closed", "upstream-reset"]);

/** The time of the request or of the try is over. */
export function noteTimeout({ connection, upstream, phase, requestEnded, hurried }: Exchange): void {
  // without a stream there is no try: it waits in line. An answer was noted when it began
  if (upstream === undefined || phase !== "forwarding" || hurried || !requestEnded) return;
  connection?.endpoint.noteFailure("upstream-timeout");
}
