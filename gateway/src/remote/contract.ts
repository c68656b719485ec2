/** A proxy that gets its configuration from a controller: options in, and what is known of the connection out. */
import type { RemoteFacts } from "../observe/metric-source.ts";
import type { Log } from "../observe/log.ts";

/** How a proxy finds its controller and proves who it is. */
export interface RemoteOptions {
  /** `namespace/name` of its Gateway, or `Ingress`. */
  readonly group: string;
  /** Host name and port of the controller; its certificate must have that name. */
  readonly controller: string;
  /** PEM of what the controller's certificate is signed by; read anew for each connection. */
  readonly caFile: string;
  /** Projected service account token; read anew for each certificate. */
  readonly tokenFile: string;
  /** Where the last good configuration is kept. */
  readonly stateDirectory: string;
  /** Name of the pod, for people. */
  readonly proxy: string;
  /** Name of the node; absent: the proxy does not learn its zone. */
  readonly node: string | undefined;
  /** Of the program. */
  readonly version: string;
  readonly log: Log;
}

/** A followed controller. */
export interface FollowedController {
  readonly facts: () => RemoteFacts;
  /** Resolves when nothing is applied or written any more. */
  close(): Promise<void>;
}

/** The connection broke or could not be made. `message` says why and what to do, in one sentence. */
export class ConnectionFailure extends Error {
  override readonly name = "ConnectionFailure";
  /** `certificate`: the controller does not accept ours, a new one is needed. */
  readonly cure: "retry" | "certificate";

  constructor(message: string, cure: "retry" | "certificate", cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.cure = cure;
  }
}
