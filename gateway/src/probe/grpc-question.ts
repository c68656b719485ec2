/** A check by gRPC's own protocol for that (grpc/doc/health-checking.md): well is who says SERVING. */
import type { RequestHead } from "../head/request-head.ts";
import type { ResponseHead } from "../head/response-head.ts";
import { toCheckHead } from "./check-head.ts";
import type { Question } from "./question.ts";

const PATH = "/grpc.health.v1.Health/Check";
const FIELDS = "content-type: application/grpc\r\n";
/** Length-prefixed messages: a byte that says whether it is compressed, and four of length (PROTOCOL-HTTP2.md). */
const PREFIX = 5;
/** Field 1, length-delimited: HealthCheckRequest.service. */
const SERVICE_TAG = 0x0a;
/** HealthCheckResponse.ServingStatus. */
const STATUSES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"] as const;
const SERVING = 1;
/** Bits of a key that say how the value is written. */
const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

/** A call of Health/Check. */
export class GrpcQuestion implements Question {
  readonly head: RequestHead;
  readonly body: Buffer;

  /** `service`: "" for the server as a whole. */
  constructor(service: string, host: string, scheme: "http" | "https") {
    this.body = toRequest(service);
    this.head = toCheckHead({ method: "POST", path: PATH, host, scheme, fields: FIELDS });
    this.head.framing = "stream";
    this.head.takesTrailers = true;
    this.head.isGrpc = true;
  }

  readHead(head: ResponseHead): string {
    if (head.status !== 200) return `answered ${head.status}`;
    const type = head.received("content-type") ?? "";
    if (!type.startsWith("application/grpc")) return "the answer is none of gRPC";
    // in the head where there is nothing else
    return toCallProblem(head.received("grpc-status") ?? "0", head.received("grpc-message"));
  }

  readEnd(body: Buffer, trailers: string): string {
    const status = /^grpc-status: *(\d+)/im.exec(trailers)?.[1];
    if (status !== undefined && status !== "0")
      return toCallProblem(status, /^grpc-message: *([^\r]*)/im.exec(trailers)?.[1]);
    if (body.length < PREFIX) return "the answer has no message";
    if (body[0] !== 0) return "the answer is compressed, which nobody asked for";
    const length = body.readUInt32BE(1);
    if (PREFIX + length > body.length) return "the message of the answer is not whole";
    const serving = readServing(body.subarray(PREFIX, PREFIX + length));
    if (serving === SERVING) return "";
    return serving === undefined ? "the message of the answer cannot be read" : `says ${STATUSES[serving] ?? serving}`;
  }
}

function toCallProblem(status: string, message: string | undefined): string {
  if (status === "0") return "";
  const what = message === undefined || message === "" ? "" : `: ${message.slice(0, 100)}`;
  return `answered grpc-status ${status}${what}`;
}

function toRequest(service: string): Buffer {
  const name = Buffer.from(service, "utf8");
  const message =
    name.length === 0 ? name : Buffer.concat([Buffer.from([SERVICE_TAG, ...toVarint(name.length)]), name]);
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function toVarint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7f; left >>>= 7) bytes.push((left & 0x7f) | 0x80);
  bytes.push(left);
  return bytes;
}

/** Field 1 of a HealthCheckResponse, 0 where it is left out; undefined: it is no message. */
function readServing(message: Buffer): number | undefined {
  let serving = 0;
  for (let at = 0; at < message.length;) {
    const key = readVarint(message, at);
    if (key === undefined) return undefined;
    const [field, wire] = [key.value >>> 3, key.value & 7];
    const value = wire === VARINT || wire === DELIMITED ? readVarint(message, key.end) : undefined;
    const end = toFieldEnd(wire, key.end, value);
    if (end === undefined || end > message.length) return undefined;
    if (field === 1 && wire === VARINT) serving = value?.value ?? 0;
    at = end;
  }
  return serving;
}

/** Where a field ends whose key ends there; `value`: its varint, which says how long it is or is all of it. */
function toFieldEnd(wire: number, at: number, value: Varint | undefined): number | undefined {
  switch (wire) {
    case VARINT:
      return value?.end;
    case DELIMITED:
      return value === undefined ? undefined : value.end + value.value;
    case FIXED64:
      return at + 8;
    case FIXED32:
      return at + 4;
    default:
      return undefined;
  }
}

interface Varint {
  readonly value: number;
  readonly end: number;
}

/** Up to 32 bits of a varint; of a longer one the lower ones. Undefined: it does not end. */
function readVarint(bytes: Buffer, from: number): Varint | undefined {
  let value = 0;
  for (let at = from; at < Math.min(bytes.length, from + 10); at++) {
    const byte = bytes[at] ?? 0;
    const shift = (at - from) * 7;
    if (shift < 32) value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value: value >>> 0, end: at + 1 };
  }
  return undefined;
}
