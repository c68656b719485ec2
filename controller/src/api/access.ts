/** Where the API server is and who we are to it: what a service account in a pod and a kubeconfig file both come to. */
import type { Agent } from "node:http";

/** TLS settings of a connection. */
export interface TlsMaterial {
  /** PEM of the authorities that may sign the server's certificate; absent: those the system believes. */
  readonly ca?: string;
  /** PEM of the client certificate and its key. */
  readonly cert?: string;
  readonly key?: string;
  /** Name to verify instead of the host. */
  readonly servername?: string;
  /** False where the user turned verification off. */
  readonly rejectUnauthorized?: boolean;
}

/** What goes with the requests of now. */
export interface Authorization {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsMaterial;
  /** Connects through a proxy; absent: directly. */
  readonly proxy?: Agent;
}

/** One API server as one user. */
export interface ServerAccess {
  /** Scheme, host, port, and maybe the path that all paths begin with. */
  readonly server: URL;
  /** Reads the credentials as they are now; cheap enough for every request. Rejects where there are none. */
  authorize(): Promise<Authorization>;
  /** The server refused the credentials: whatever is remembered of them is to be read anew. */
  forget(): void;
}
