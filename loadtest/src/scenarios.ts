// What is measured: every scenario, with the work it offers and the targets it compares.
import { backendPaths, smallBodyBytes } from "./backend.ts";
import { fixedRequests, pathRequests, postRequests, routeRequests, varyingRequests } from "./requests.ts";

/** A scenario that offers load to proxies in turns. */
export interface LoadScenario {
  readonly kind: "load";
  readonly name: string;
  readonly title: string;
  /** Client connections of the closed loop. */
  readonly connections: number;
  /** Arrivals a second of the open loop: what the slowest peer can serve on half a processor. */
  readonly rate: number;
  readonly bodyBytes: number;
  readonly requests: () => readonly string[];
  /** All peers, Sallyport with one route and with ten thousand, or each peer without and with its access log. */
  readonly compares: "peers" | "route counts" | "access log";
}

/** A scenario that reads the memory of proxies that do nothing. */
export interface IdleScenario {
  readonly kind: "idle";
  readonly name: string;
  readonly title: string;
  /** Connections that made one request each and stay open; zero: just started. */
  readonly connections: number;
}

/** Anything that `--scenario` can name. */
export type Scenario = LoadScenario | IdleScenario;

const smallBody = { kind: "load", connections: 64, rate: 3000, bodyBytes: smallBodyBytes } as const;

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
  {
    kind: "load",
    name: "body1m",
    title: "Answers of 1 MiB, 8 connections",
    connections: 8,
    rate: 100,
    bodyBytes: 1024 * 1024,
    requests: () => pathRequests(backendPaths.oneMebibyte),
    compares: "peers",
  },
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
  { kind: "idle", name: "idle-memory", title: "Memory of a process that has just started", connections: 0 },
  {
    kind: "idle",
    name: "idle-conns",
    title: "10 000 idle connections after one request each",
    connections: 10_000,
  },
];
