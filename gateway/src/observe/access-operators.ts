/**
 * The operators of access log formats, named as Envoy names them (configuration/observability/access_log/usage). Each one
 * is compiled once to a closure that reads its value from a finished exchange, or from what was passed on: what belongs to HTTP has no value there.
 */
import { hostname } from "node:os";
import { toHostPort } from "@sallyport/model/listener";
import { fail, ok, type Result } from "@sallyport/model/result";
import { toGrpcStatus, toGrpcStatusText } from "./access-grpc.ts";
import { compileTimeFormat, TIME_SPECIFIERS } from "./access-time.ts";
import type { WallClock } from "./access-time.ts";
import { ofPeer, toFailure, toServerName, toTlsCipher, toTlsVersion } from "./access-tls.ts";
import type { LoggedRecord } from "./logged-record.ts";

/** A value of a line; undefined where there is none. Strings are not escaped, one character a byte. */
export type OperatorValue = (record: LoggedRecord) => string | number | undefined;

/** Never has a value; a format writes it as fixed text. */
export const EMPTY: OperatorValue = () => undefined;

/** What compiling an operator takes. */
export interface OperatorContext {
  readonly clock: WallClock;
  /** For %ENVIRONMENT(X)%. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

interface Operator {
  /** What stands between the parentheses, as the documentation shows it; "" where the operator takes nothing. */
  readonly argument: string;
  readonly describe: string;
  readonly compile: (argument: string, context: OperatorContext) => Result<OperatorValue, string>;
}

/** Every operator by name. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  START_TIME: {
    argument: "FORMAT?",
    describe: "When the first byte of the request came, as ISO 8601 or in a strftime format (UTC)",
    compile: compileStartTime,
  },
  REQ: {
    argument: "NAME?OTHER",
    describe:
      "A request header as it came, or the other one where it is missing; also :METHOD, :PATH, :AUTHORITY, :SCHEME",
    compile: (argument) => compileHeader(argument, compileRequestHeader),
  },
  RESP: {
    argument: "NAME?OTHER",
    describe: "A response header as it left, or the other one where it is missing",
    compile: (argument) => compileHeader(argument, compileResponseHeader),
  },
  PROTOCOL: plain("HTTP/1.0, HTTP/1.1 or HTTP/2; TCP, TLS or UDP for what is passed on", (record) => record.protocol),
  RESPONSE_CODE: plain("Status of the response, 0 where none was sent", (record) => record.status),
  RESPONSE_CODE_DETAILS: plain("via_upstream, or why the answer was made here", (record) => toName(record.details)),
  TRAILER: {
    argument: "NAME?OTHER",
    describe: "A response trailer, or the other one where it is missing",
    compile: (argument) => compileHeader(argument, (name) => (record) => record.responseTrailer(name)),
  },
  GRPC_STATUS: {
    argument: "FORMAT?",
    describe: "Status of a gRPC call, as DeadlineExceeded; with SNAKE_STRING as DEADLINE_EXCEEDED, with NUMBER as 4",
    compile: compileGrpcStatus,
  },
  GRPC_STATUS_NUMBER: plain("Status of a gRPC call as a number", toGrpcStatus),
  RESPONSE_FLAGS: plain("What went wrong, in Envoy's letters; - for nothing", (record) => record.flag),
  BYTES_RECEIVED: plain(
    "Bytes from the client: of the body, or all that is passed on",
    (record) => record.bytesReceived,
  ),
  BYTES_SENT: plain("Bytes to the client, as BYTES_RECEIVED", (record) => record.bytesSent),
  DURATION: plain(
    "Milliseconds from the first byte of the request, or from the start of a connection, to the end",
    toDuration,
  ),
  RESPONSE_DURATION: plain("Milliseconds from the first byte of the request to the first of the answer", toServiceTime),
  UPSTREAM_HOST: plain("Address and port of the endpoint", toUpstreamHost),
  UPSTREAM_REMOTE_ADDRESS: plain("As UPSTREAM_HOST", toUpstreamHost),
  UPSTREAM_CLUSTER: plain("namespace/service:port", (record) => toName(record.upstreamCluster)),
  UPSTREAM_CLUSTER_RAW: plain("As UPSTREAM_CLUSTER", (record) => toName(record.upstreamCluster)),
  UPSTREAM_REQUEST_ATTEMPT_COUNT: plain("How often the request went to an endpoint", (record) => record.attempts),
  UPSTREAM_TRANSPORT_FAILURE_REASON: plain("Why TLS with the endpoint failed, in words", toFailure),
  DOWNSTREAM_REMOTE_ADDRESS: plain("The trusted client address, with port 0 where a proxy named it", toClient),
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: plain("The trusted client address", (record) => record.clientAddress),
  DOWNSTREAM_REMOTE_PORT: plain("Port of the trusted client address", (record) => toPort(toClient(record))),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: plain(
    "Address and port of the socket's peer, whatever a PROXY header says",
    (record) => toName(record.downstreamPeer),
  ),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: plain("Address of the socket's peer", (record) =>
    toAddress(record.downstreamPeer),
  ),
  DOWNSTREAM_DIRECT_REMOTE_PORT: plain("Port of the socket's peer", (record) => toPort(record.downstreamPeer)),
  DOWNSTREAM_LOCAL_ADDRESS: plain("Address and port the client connected to", (record) =>
    toName(record.downstreamLocal),
  ),
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: plain("Address the client connected to", (record) =>
    toAddress(record.downstreamLocal),
  ),
  DOWNSTREAM_LOCAL_PORT: plain("Port the client connected to", (record) => toPort(record.downstreamLocal)),
  DOWNSTREAM_TLS_VERSION: plain("Version of TLS with the client, as TLSv1.3", toTlsVersion),
  DOWNSTREAM_TLS_CIPHER: plain("Cipher suite with the client, as OpenSSL names it", toTlsCipher),
  REQUESTED_SERVER_NAME: plain("The server name the client asked for (SNI)", toServerName),
  DOWNSTREAM_PEER_SUBJECT: plain(
    "Subject of the client's certificate",
    ofPeer((peer) => peer.subject),
  ),
  DOWNSTREAM_PEER_ISSUER: plain(
    "Issuer of the client's certificate",
    ofPeer((peer) => peer.issuer),
  ),
  DOWNSTREAM_PEER_SERIAL: plain(
    "Serial number of the client's certificate",
    ofPeer((peer) => peer.serialNumber),
  ),
  DOWNSTREAM_PEER_FINGERPRINT_256: plain(
    "SHA-256 of the client's certificate, hexadecimal",
    ofPeer((peer) => peer.fingerprint),
  ),
  DOWNSTREAM_PEER_URI_SAN: plain(
    "URI names of the client's certificate, with commas",
    ofPeer((peer) => peer.uriNames),
  ),
  DOWNSTREAM_PEER_DNS_SAN: plain(
    "DNS names of the client's certificate, with commas",
    ofPeer((peer) => peer.dnsNames),
  ),
  ROUTE_NAME: plain("namespace/name/rule of the route; kind/namespace/name of what is passed on", (record) =>
    toName(record.routeName),
  ),
  LISTENER_NAME: plain(
    "namespace/gateway/listener; namespace/gateway/set-namespace/set/listener of a ListenerSet; Ingress/80/* and Ingress/443/host",
    (record) => toName(record.listenerKey),
  ),
  HOSTNAME: { argument: "", describe: "Host name of this machine or pod", compile: () => constant(hostname()) },
  ENVIRONMENT: {
    argument: "NAME",
    describe: "An environment variable of the gateway",
    compile: (argument, context) => constant(context.environment[argument]),
  },
  CONNECTION_TERMINATION_DETAILS: unknown(),
  UPSTREAM_LOCAL_ADDRESS: unknown(),
};

/** Compiles `NAME` or `NAME(argument)`. The failure names what would work. */
export function compileOperator(
  name: string,
  argument: string | undefined,
  context: OperatorContext,
): Result<OperatorValue, string> {
  const operator = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
  if (operator === undefined) {
    return fail(`unknown access log operator %${name}%; known are ${Object.keys(OPERATORS).join(", ")}`);
  }
  if (argument !== undefined && operator.argument === "") return fail(`%${name}% takes no argument`);
  if (argument === undefined && operator.argument !== "" && !operator.argument.startsWith("FORMAT")) {
    return fail(`%${name}% needs an argument: %${name}(${operator.argument})%`);
  }
  return operator.compile(argument ?? "", context);
}

/** The table of docs/access-log.md. */
export function renderOperatorTable(): string {
  const rows = Object.entries(OPERATORS).map(([name, { argument, describe }]) => {
    return `| \`%${name}${argument === "" ? "" : `(${argument})`}%\` | ${describe} |`;
  });
  return ["| operator | value |", "|---|---|", ...rows, ""].join("\n");
}

function plain(describe: string, value: OperatorValue): Operator {
  return { argument: "", describe, compile: () => ok(value) };
}

function unknown(): Operator {
  const describe = "Accepted for formats written for Envoy; always empty";
  return { argument: "", describe, compile: () => ok(EMPTY) };
}

function constant(value: string | undefined): Result<OperatorValue, string> {
  // The operator's own text may be any Unicode; values are one character a byte.
  const bytes = value === undefined ? undefined : Buffer.from(value, "utf8").toString("latin1");
  return ok(() => bytes);
}

function compileStartTime(format: string, { clock }: OperatorContext): Result<OperatorValue, string> {
  if (format === "") return ok((record) => clock.toIso(record.startedAt));
  const print = compileTimeFormat(format);
  if (typeof print !== "function") {
    return fail(`%START_TIME% does not know ${print.unknown}; known are ${TIME_SPECIFIERS.join(" ")}`);
  }
  return ok((record) => print(clock.toWall(record.startedAt)));
}

function compileGrpcStatus(style: string): Result<OperatorValue, string> {
  switch (style) {
    case "":
      return ok((record) => toGrpcStatusText(record, "CAMEL_STRING"));
    case "CAMEL_STRING":
    case "SNAKE_STRING":
    case "NUMBER":
      return ok((record) => toGrpcStatusText(record, style));
    default:
      return fail(`%GRPC_STATUS% does not know ${style}; known are CAMEL_STRING, SNAKE_STRING, NUMBER`);
  }
}

/** `NAME` or `NAME?OTHER`. */
function compileHeader(argument: string, compile: (name: string) => OperatorValue): Result<OperatorValue, string> {
  const [name = "", other, ...rest] = argument.toLowerCase().split("?");
  const names = other === undefined ? [name] : [name, other];
  if (rest.length > 0 || names.some((each) => !/^:?[!#$%&'*+.^_`|~0-9a-z-]+$/.test(each))) {
    return fail(`(${argument}) is not a header name, or two with a ? between them`);
  }
  const first = compile(name);
  if (other === undefined) return ok(first);
  const second = compile(other);
  return ok((record) => first(record) ?? second(record));
}

function compileRequestHeader(name: string): OperatorValue {
  switch (name) {
    case ":method":
      return (record) => toName(record.method);
    case ":path":
    case "x-envoy-original-path":
      return (record) => toName(record.originalPath);
    case ":authority":
    case "host":
      return (record) => toName(record.authority);
    case ":scheme":
      return (record) => (record.status === undefined ? undefined : record.scheme);
    case "x-request-id":
      return (record) => toName(record.requestId);
    case "x-forwarded-for":
      return toForwardedFor;
    default:
      return (record) => record.requestHeader(name);
  }
}

function compileResponseHeader(name: string): OperatorValue {
  // Envoy writes this field itself; here nobody pays for looking it up.
  if (name === "x-envoy-upstream-service-time") return toServiceTime;
  return (record) => record.responseHeader(name);
}

/** As it goes upstream: what a trusted proxy wrote with the peer behind it, or the client alone. */
export function toForwardedFor(record: LoggedRecord): string | undefined {
  const { clientAddress, downstreamRemote } = record;
  if (record.status === undefined) return undefined;
  if (isAddressOf(clientAddress, downstreamRemote)) return toName(clientAddress);
  const peer = toAddress(downstreamRemote) ?? "-";
  return `${record.requestHeader("x-forwarded-for") ?? clientAddress},${peer}`;
}

/** Milliseconds from the first byte of the request to the end of the exchange. */
export function toDuration(record: LoggedRecord): number {
  return Math.floor(record.endedAt - record.startedAt);
}

/** Milliseconds from the first byte of the request to the first of the answer; undefined where there was none. */
export function toServiceTime(record: LoggedRecord): number | undefined {
  return record.upstreamStartedAt === 0 ? undefined : Math.floor(record.upstreamStartedAt - record.startedAt);
}

function toUpstreamHost(record: LoggedRecord): string | undefined {
  return toName(record.upstreamHost);
}

/** The trusted client address with its port, or port 0 where a proxy named it. */
export function toClient(record: LoggedRecord): string {
  const { clientAddress, downstreamRemote } = record;
  if (isAddressOf(clientAddress, downstreamRemote)) return downstreamRemote;
  return toHostPort({ address: clientAddress, port: 0 });
}

/** Whether this is the address part of that `address:port`. Cuts no strings: it runs twice for every line. */
function isAddressOf(address: string, label: string): boolean {
  if (label.charCodeAt(0) === 0x5b) return toAddress(label) === address;
  return label.charCodeAt(address.length) === 0x3a && label.startsWith(address);
}

/** Undefined for the ways a record says that there is none. */
export function toName(value: string): string | undefined {
  return value === "" || value === "-" ? undefined : value;
}

/** `address` of `address:port`, without the brackets of IPv6. */
function toAddress(label: string): string | undefined {
  const colon = label.lastIndexOf(":");
  if (colon <= 0) return toName(label);
  return label.startsWith("[") ? label.slice(1, colon - 1) : label.slice(0, colon);
}

function toPort(label: string): string | undefined {
  const colon = label.lastIndexOf(":");
  return colon <= 0 ? undefined : label.slice(colon + 1);
}
