// The kinds of scenarios.
import type { Exchange } from "./closed-loop-contract.ts";
import type { Front } from "./peers/peer.ts";

/** A scenario that offers load to proxies in turns. */
export interface LoadScenario {
  readonly kind: "load";
  readonly name: string;
  readonly title: string;
  /** What the proxies serve; peers that cannot are left out. */
  readonly front: Front;
  /** What the closed loop does over and over. */
  readonly exchange: Exchange;
  /** Client connections of the closed loop. */
  readonly connections: number;
  /** HTTP/2: streams at once on each connection, and, where it is not a matter of time, how many requests a sample is. */
  readonly streams?: number;
  readonly total?: number;
  /** Arrivals a second of the open loop: what the slowest peer can serve on half a processor. Absent: latency is not measured. */
  readonly rate?: number;
  readonly bodyBytes: number;
  readonly requests: () => readonly string[];
  /** All peers, Sallyport with one route and with ten thousand, or each peer without and with its access log, or policies. */
  readonly compares: "peers" | "route counts" | "access log" | "traffic policies";
}

/** A scenario that reads the memory of proxies that do nothing. */
export interface IdleScenario {
  readonly kind: "idle";
  readonly name: string;
  readonly title: string;
  readonly front: Front;
  /** Connections that made one request each and stay open; zero: just started. */
  readonly connections: number;
}

/** A scenario that reads what streams cost that are open and wait for their answer. */
export interface StreamsScenario {
  readonly kind: "streams";
  readonly name: string;
  readonly title: string;
  readonly front: Front;
  readonly connections: number;
  /** Streams on each connection. */
  readonly streams: number;
}

/** A scenario that measures the latency of requests on kept connections while others only make handshakes. */
export interface FloodScenario {
  readonly kind: "flood";
  readonly name: string;
  readonly title: string;
  readonly front: Front;
  /** Kept connections, and requests a second on them. */
  readonly connections: number;
  readonly rate: number;
  readonly bodyBytes: number;
  readonly requests: () => readonly string[];
  /** Share of a processor that the handshakes are to take from the proxy, 0..1. */
  readonly share: number;
}

/** Anything that `--scenario` can name. */
export type Scenario = LoadScenario | IdleScenario | StreamsScenario | FloodScenario;
