// What a peer is: a proxy that can be put between the client and the backend, on one process or thread.
import type { CertificateFiles } from "../tls/certificate.ts";
import type { Launch } from "../processes.ts";

/**
 * What a proxy serves: HTTP/1.1 plain or over TLS; HTTP/2 over TLS or in the clear by prior knowledge, with HTTP/1.1 behind it;
 * gRPC over HTTP/2 in the clear on both sides; bytes of a connection as they are; datagrams.
 */
export type Front = "http" | "https" | "h2" | "h2c" | "grpc" | "tcp" | "udp";

/** What is spoken in front of a proxy and behind it. */
export interface FrontTraits {
  readonly tls: "on" | "off";
  readonly client: "http1" | "http2" | "bytes" | "datagrams";
  readonly upstream: "http1" | "http2" | "bytes" | "datagrams";
}

/** The traits of each front. */
export const frontTraits: Readonly<Record<Front, FrontTraits>> = {
  http: { tls: "off", client: "http1", upstream: "http1" },
  https: { tls: "on", client: "http1", upstream: "http1" },
  h2: { tls: "on", client: "http2", upstream: "http1" },
  h2c: { tls: "off", client: "http2", upstream: "http1" },
  grpc: { tls: "off", client: "http2", upstream: "http2" },
  tcp: { tls: "off", client: "bytes", upstream: "bytes" },
  udp: { tls: "off", client: "datagrams", upstream: "datagrams" },
};

/** Every front there is. */
export const everyFront: readonly Front[] = ["http", "https", "h2", "h2c", "grpc", "tcp", "udp"];

/** Where and how a peer is to run. */
export interface PeerSetup {
  /** A folder of its own for configuration, logs and temporary files. */
  readonly directory: string;
  readonly front: Front;
  readonly port: number;
  readonly backendPort: number;
  /** Two more free ports, for peers that need an admin or metrics listener. */
  readonly sparePorts: readonly [number, number];
  /** What a front with TLS presents: the same for every peer. */
  readonly certificate: CertificateFiles;
  readonly accessLog: "off" | "on";
  /** One route for everything, or ten thousand over a thousand hosts. */
  readonly routes: "one" | "many";
  /** Retries, timeouts, outlier detection and a circuit breaker, none of which has anything to do while all is well. */
  readonly policies: "off" | "on";
}

/** Whether a peer can run on this machine. */
export type Availability =
  | { readonly kind: "available"; readonly version: string }
  | { readonly kind: "missing"; readonly reason: string };

/** A proxy to measure. */
export interface Peer {
  readonly name: string;
  /** In what its work on a front differs from the others'; printed under the tables. */
  deviations(front: Front): readonly string[];
  /** What it can serve. */
  readonly fronts: readonly Front[];
  /** Settings it has beyond the default ones. */
  readonly abilities: readonly ("access log" | "many routes" | "traffic policies")[];
  availability(): Availability;
  /** Writes its configuration to the folder and says how to start it; only called when it is available. */
  launch(setup: PeerSetup): Launch;
}

/** Connections a peer may keep open to the backend: more than any scenario's clients, so that none ever waits. */
export const upstreamConnections = 256;

/** Requests that a peer may have under way at once on HTTP/2 connections to the backend: more than the streams that are held open. */
export const upstreamStreams = 20_000;

/** Client connections a peer must accept, with some to spare above the idle ones that are measured. */
export const clientConnections = 12_000;
