/**
 * What gRPC asks of a proxy in between: answers made here are statuses of the call, sent in the head alone (trailers-only), and the
 * deadline that the client set holds. gRPC over HTTP/2 (grpc/doc/PROTOCOL-HTTP2.md), http-grpc-status-mapping.md.
 */
import type { FaultReason } from "@sallyport/model/fault";
import type { LocalReply } from "@sallyport/policies/filter";

const UNKNOWN = 2;
const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;
const INTERNAL = 13;
const UNAVAILABLE = 14;

/** What clients make of the status of an answer that is none of gRPC: the same is told them here. */
const OF_HTTP: Readonly<Record<number, number>> = {
  400: INTERNAL,
  401: 16,
  403: 7,
  404: 12,
  429: UNAVAILABLE,
  502: UNAVAILABLE,
  503: UNAVAILABLE,
  504: UNAVAILABLE,
};

/** Faults whose status says more than the one of HTTP does. */
const OF_FAULT: Partial<Readonly<Record<FaultReason, number>>> = {
  "upstream-timeout": DEADLINE_EXCEEDED,
  // Gateway API, GRPCRouteRule `backendRefs`
  "invalid-backend": UNAVAILABLE,
  "internal-error": INTERNAL,
  // what servers of gRPC say of messages beyond their limit
  "body-too-large": RESOURCE_EXHAUSTED,
};

/** RFC 9110 section 15.5.20: it speaks of the connection, to whoever opens them, and not of the call. */
const MISDIRECTED = 421;

/** The answer that a gRPC call gets instead of this reply; `reason` where it is for a fault. */
export function toGrpcReply(reply: LocalReply, reason: FaultReason | undefined): LocalReply {
  if (reply.status === MISDIRECTED) return reply;
  const known = reply.grpcStatus ?? (reason === undefined ? undefined : OF_FAULT[reason]);
  const status = known ?? OF_HTTP[reply.status] ?? UNKNOWN;
  const headers: [string, string][] = [
    ["content-type", "application/grpc"],
    ["grpc-status", String(status)],
  ];
  const message = reply.body.trimEnd();
  if (message !== "") headers.push(["grpc-message", encodeMessage(message)]);
  for (const [name, value] of reply.headers) if (name.toLowerCase() !== "content-type") headers.push([name, value]);
  return { status: 200, headers, body: "", flag: reply.flag };
}

/** Statuses of HTTP that those of gRPC stand for, by number (google/rpc/code.proto). */
const TO_HTTP: readonly number[] = [
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
];

/** What an answer with this status and grpc-status (undefined: it has none in its head) amounts to in HTTP; what is no code is 500. */
export function toHttpStatus(status: number, grpcStatus: string | undefined): number {
  if (grpcStatus === undefined || status !== 200) return status;
  return (/^\d{1,2}$/.test(grpcStatus) ? TO_HTTP[Number(grpcStatus)] : undefined) ?? 500;
}

/** Trailers of an answer whose call ran out of time in the middle. */
export const DEADLINE_TRAILERS = `grpc-status: ${DEADLINE_EXCEEDED}\r\ngrpc-message: the call ran out of time\r\n`;

/** Percent-encodes what is not printable ASCII, and `%` itself, as the bytes of UTF-8. */
export function encodeMessage(text: string): string {
  return text.toWellFormed().replace(/[^ -$&-~]+/g, (found) => {
    return Buffer.from(found, "utf8").toString("hex").toUpperCase().replace(/../g, "%$&");
  });
}

/** Milliseconds in a unit of grpc-timeout. */
const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** Milliseconds of a grpc-timeout; undefined where it is none (it is ignored then, as gRPC's own servers do). */
export function parseGrpcTimeout(value: string | undefined): number | undefined {
  if (value === undefined || !/^\d{1,8}[HMSmun]$/.test(value)) return undefined;
  return Number(value.slice(0, -1)) * (UNITS[value.slice(-1)] ?? 0);
}
