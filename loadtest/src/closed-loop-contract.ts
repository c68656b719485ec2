// What a closed-loop client is asked to do, and what it counts: the same for wrk, h2load and the programs of our own.

/** What is done over and over: see the scenarios. */
export type Exchange = "request" | "full handshake" | "resumed handshake" | "datagram";

/** One run of a closed-loop client. */
export interface ClosedLoop {
  readonly port: number;
  readonly exchange: Exchange;
  /** File of the certificate that the proxy presents; empty where there is no TLS. */
  readonly certificate: string;
  readonly connections: number;
  readonly seconds: number;
  /** HTTP/2: streams at once on each connection; absent for HTTP/1.1. */
  readonly streams?: number;
  /** HTTP/2: so many requests instead of so many seconds. */
  readonly total?: number;
  /** Requests separated by NUL bytes, as HTTP/1.1 messages. */
  readonly requestFile: string;
}

/** What a closed-loop client counted. */
export interface ClosedLoopTotals {
  readonly requests: number;
  readonly seconds: number;
  /** Bytes received; heads are included where HTTP/1.1 is spoken. */
  readonly bytes: number;
  /** Answers with a status of 400 or more, and connections that failed in any way. */
  readonly failures: number;
}
