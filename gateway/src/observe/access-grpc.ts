/** How a gRPC call ended, in the words of Envoy's access logs. */
import type { LoggedRecord } from "./logged-record.ts";

/** Names of the statuses, in order (grpc/doc/statuscodes.md). */
const NAMES = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
];

/** How a status is written. */
export type GrpcStatusStyle = "CAMEL_STRING" | "SNAKE_STRING" | "NUMBER";

/** The status of a call: of its trailers, else of its head; undefined where there is none, and for what is no call. */
export function toGrpcStatus(record: LoggedRecord): number | undefined {
  if (!record.isGrpc) return undefined;
  const value = record.responseTrailer("grpc-status") ?? record.responseHeader("grpc-status");
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}

/** The status in a style; one that has no name is written as its number. */
export function toGrpcStatusText(record: LoggedRecord, style: GrpcStatusStyle): string | number | undefined {
  const status = toGrpcStatus(record);
  const name = status === undefined ? undefined : NAMES[status];
  if (style === "NUMBER" || name === undefined) return status;
  return style === "CAMEL_STRING" ? name : name.replace(/(?<=[a-z])[A-Z]/g, "_$&").toUpperCase();
}
