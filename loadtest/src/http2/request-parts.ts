// Takes the requests of a workload apart for clients that speak HTTP/2: the workloads are written as HTTP/1.1 messages.

import { grpcMessage } from "../requests.ts";

/** One request, its name-value pairs in lower case and without those that HTTP/2 has no place for. */
export interface RequestParts {
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** One character a byte; of gRPC with the prefix of its one message. */
  readonly body: string;
}

const grpc = "application/grpc";

/** Reads one HTTP/1.1 message with a Host field and, where there is a body, nothing after it; throws on anything else. */
export function partsOf(request: string): RequestParts {
  const end = request.indexOf("\r\n\r\n");
  const [first = "", ...lines] = request.slice(0, Math.max(end, 0)).split("\r\n");
  const [method = "", path = ""] = first.split(" ");
  const fields = lines.map((line) => fieldOf(line));
  const authority = fields.find(([name]) => name === "host")?.[1];
  if (authority === undefined) throw new Error(`not a request with a host: ${first}`);
  const bytes = request.slice(end + 4);
  const body = fields.some(([name, value]) => name === "content-type" && value === grpc) ? grpcMessage(bytes) : bytes;
  return { method, authority, path, fields: fields.filter(([name]) => name !== "host"), body };
}

function fieldOf(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
