// What a peer is: a proxy that can be put between the client and the backend, on one process or thread.
import type { CertificateFiles } from "../tls/certificate.ts";
import type { Launch } from "../processes.ts";

/** What a proxy serves: HTTP/1.1 plain or over TLS, bytes of a connection as they are, or datagrams. */
export type Front = "http" | "https" | "tcp" | "udp";

/** Where and how a peer is to run. */
export interface PeerSetup {
  /** A folder of its own for configuration, logs and temporary files. */
  readonly directory: string;
  readonly front: Front;
  readonly port: number;
  readonly backendPort: number;
  /** Two more free ports, for peers that need an admin or metrics listener. */
  readonly sparePorts: readonly [number, number];
  /** What an HTTPS front presents: the same for every peer. */
  readonly certificate: CertificateFiles;
  readonly accessLog: "off" | "on";
  /** One route for everything, or ten thousand over a thousand hosts. */
  readonly routes: "one" | "many";
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
  readonly abilities: readonly ("access log" | "many routes")[];
  availability(): Availability;
  /** Writes its configuration to the folder and says how to start it; only called when it is available. */
  launch(setup: PeerSetup): Launch;
}

/** Connections a peer may keep open to the backend: more than any scenario's clients, so that none ever waits. */
export const upstreamConnections = 256;

/** Client connections a peer must accept, with some to spare above the idle ones that are measured. */
export const clientConnections = 12_000;
