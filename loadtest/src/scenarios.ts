// What is measured: every scenario, with the work it offers and the targets it compares.
import { backendPaths, quarterGibibyte, smallBodyBytes } from "./backend.ts";
import type { Scenario } from "./scenario.ts";
import { offeredTls } from "./tls/negotiation.ts";
import {
  applicationRequests,
  fixedRequests,
  grpcMessage,
  grpcRequests,
  pathRequests,
  postRequests,
  routeRequests,
  varyingRequests,
} from "./requests.ts";

const smallBody = {
  kind: "load",
  front: "http",
  exchange: "request",
  connections: 64,
  rate: 3000,
  bodyBytes: smallBodyBytes,
} as const;

const bulk = {
  kind: "load",
  exchange: "request",
  connections: 8,
  rate: 100,
  bodyBytes: 1024 * 1024,
  requests: () => pathRequests(backendPaths.oneMebibyte),
  compares: "peers",
} as const;

const handshakes = {
  kind: "load",
  front: "https",
  connections: 16,
  bodyBytes: smallBodyBytes,
  requests: fixedRequests,
  compares: "peers",
} as const;

const application = {
  kind: "load",
  exchange: "request",
  connections: 16,
  bodyBytes: smallBodyBytes,
  requests: applicationRequests,
  compares: "peers",
} as const;

/** Bytes of a gRPC message in each direction. */
const grpcMessageBytes = 64;

/** Every scenario, in the order of the report. */
export const scenarios: readonly Scenario[] = [
  {
    ...smallBody,
    name: "vary",
    title: "Plain HTTP/1.1, 65-byte answers, 1009 different request heads, unique fields in every answer",
    requests: varyingRequests,
    compares: "peers",
  },
  {
    ...smallBody,
    name: "fixed",
    title: "Plain HTTP/1.1, 65-byte answers, one repeated head",
    requests: fixedRequests,
    compares: "peers",
  },
  {
    ...smallBody,
    name: "body10k",
    title: "Answers of 10 KiB",
    bodyBytes: 10 * 1024,
    requests: () => pathRequests(backendPaths.tenKibibytes),
    compares: "peers",
  },
  {
    ...smallBody,
    name: "post1k",
    title: "POST of 1 KiB",
    requests: () => postRequests(1024),
    compares: "peers",
  },
  { ...bulk, name: "body1m", title: "Answers of 1 MiB, 8 connections", front: "http" },
  {
    ...smallBody,
    name: "routes10k",
    title: "10 000 routes over 1000 hosts against one route, the same requests",
    requests: routeRequests,
    compares: "route counts",
  },
  {
    ...smallBody,
    name: "access-log",
    title: "Access log to a file on against off, varying heads",
    requests: varyingRequests,
    compares: "access log",
  },
  {
    ...smallBody,
    name: "traffic-policies",
    title: "Retries, timeouts, outlier detection and breaker configured against none, varying heads",
    requests: varyingRequests,
    compares: "traffic policies",
  },
  {
    kind: "idle",
    name: "idle-memory",
    title: "Memory of a process that has just started",
    front: "http",
    connections: 0,
  },
  {
    kind: "idle",
    name: "idle-conns",
    title: "10 000 idle connections after one request each",
    front: "http",
    connections: 10_000,
  },
  {
    ...smallBody,
    name: "tls",
    title: `HTTP/1.1 over TLS (${offeredTls}, P-256 certificate), 65-byte answers, 1009 different request heads`,
    front: "https",
    requests: varyingRequests,
    compares: "peers",
  },
  { ...bulk, name: "tls-body1m", title: "Answers of 1 MiB over TLS, 8 connections", front: "https" },
  {
    ...handshakes,
    name: "tls-handshake",
    title: "Full handshakes with one request each, no session resumed",
    exchange: "full handshake",
  },
  {
    ...handshakes,
    name: "tls-resume",
    title: "Resumed handshakes with one request each, every one by a ticket of the connection before",
    exchange: "resumed handshake",
  },
  {
    kind: "flood",
    name: "tls-flood",
    title: "Requests on 64 kept TLS connections, while full handshakes take 0.7 of a processor from the proxy",
    front: "https",
    connections: 64,
    rate: 1000,
    bodyBytes: smallBodyBytes,
    requests: varyingRequests,
    share: 0.7,
  },
  {
    kind: "idle",
    name: "tls-idle-conns",
    title: "10 000 idle TLS connections after one request each",
    front: "https",
    connections: 10_000,
  },
  { ...bulk, name: "tcp", title: "Bytes of TCP connections: answers of 1 MiB, 8 connections", front: "tcp" },
  {
    kind: "load",
    name: "udp",
    title: "64-byte datagrams there and back, 32 clients with 8 on their way each",
    front: "udp",
    exchange: "datagram",
    connections: 32,
    bodyBytes: 0,
    requests: () => [],
    compares: "peers",
  },
  {
    ...application,
    name: "h2-tls",
    title: `HTTP/2 over TLS (${offeredTls}), HTTP/1.1 behind it: 16 connections with 8 streams, 65-byte answers with unique fields`,
    front: "h2",
    streams: 8,
  },
  {
    ...application,
    name: "h2-single",
    rate: 1000,
    title: "The same with one stream at a time on each connection: nothing to gather",
    front: "h2",
    streams: 1,
  },
  {
    ...application,
    name: "h2c",
    title: "HTTP/2 in the clear by prior knowledge, HTTP/1.1 behind it: 16 connections with 8 streams",
    front: "h2c",
    streams: 8,
  },
  {
    kind: "load",
    name: "h2-body1g",
    title: "1 GiB over HTTP/2 and TLS: 4 streams of one connection, 256 MiB each",
    front: "h2",
    exchange: "request",
    connections: 1,
    streams: 4,
    total: 4,
    bodyBytes: quarterGibibyte,
    requests: () => pathRequests(backendPaths.quarterGibibyte),
    compares: "peers",
  },
  {
    kind: "load",
    name: "h2-upload",
    title: "POST of 1 MiB over HTTP/2 and TLS, answered when it has been read: 8 connections with 4 streams",
    front: "h2",
    exchange: "request",
    connections: 8,
    streams: 4,
    bodyBytes: smallBodyBytes,
    requests: () => postRequests(1024 * 1024, backendPaths.upload),
    compares: "peers",
  },
  {
    kind: "load",
    name: "grpc",
    title: `Unary gRPC calls over HTTP/2 in the clear on both sides, ${grpcMessageBytes} bytes each way: 16 connections with 8 streams`,
    front: "grpc",
    exchange: "request",
    connections: 16,
    streams: 8,
    bodyBytes: grpcMessage("x".repeat(grpcMessageBytes)).length,
    requests: () => grpcRequests("Echo", grpcMessageBytes),
    compares: "peers",
  },
  {
    kind: "streams",
    name: "h2-streams",
    title:
      "10 000 open gRPC calls over 100 connections, HTTP/2 in the clear on both sides, answered when all are there",
    front: "grpc",
    connections: 100,
    streams: 100,
  },
];
