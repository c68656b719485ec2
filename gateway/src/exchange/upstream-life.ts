/**
 * The life of a connection to an endpoint, whatever it speaks: the time it has to come up, what becomes of that, and the one time that its
 * owner hears of its end. Metrics and the process log are told of all of it here.
 */
import type { FaultReason } from "@sallyport/model/fault";
import type { ConnectionOwner, OpenOptions, UpstreamConnection } from "../cluster/contract.ts";
import { Timed } from "../time/wheel.ts";
import { describeTlsFailure, isTlsError } from "../wire/tls-failure.ts";
import type { UpstreamDependencies } from "./dependencies.ts";

/** A connection that lives so. */
export interface LivingConnection extends UpstreamConnection {
  /** It is lost: it did not come up in time. */
  lose(reason: "connect-timeout"): void;
  /** Something is wrong with us, and was logged: exchanges answer 500, the connection goes. */
  failInside(): void;
}

/** The life of one connection. */
export class UpstreamLife extends Timed {
  /** The transport is up and, with TLS, the peer has proven who it is. */
  connected = false;
  /** Its owner has forgotten it. */
  closed = false;
  /** As in UpstreamConnection. */
  failureDetail = "";
  readonly #connection: LivingConnection;
  readonly #owner: ConnectionOwner;
  readonly #connectTimeout: number;
  readonly #dependencies: UpstreamDependencies;

  constructor(
    connection: LivingConnection,
    { owner, connectTimeout }: Pick<OpenOptions, "owner" | "connectTimeout">,
    dependencies: UpstreamDependencies,
  ) {
    super();
    this.#connection = connection;
    this.#owner = owner;
    this.#connectTimeout = connectTimeout;
    this.#dependencies = dependencies;
  }

  /** From now on it must come up in time. */
  awaitConnect(): void {
    this.#dependencies.clocks.coarse.arm(this, this.#connectTimeout);
  }

  /** The transport is up, and what is spoken on it has a life of its own. */
  settle(): void {
    this.#dependencies.clocks.coarse.disarm(this);
  }

  /** It is up. Its owner may put requests on it before this returns. */
  up(): void {
    this.connected = true;
    this.settle();
    this.#dependencies.recorder.upstreamConnect("success");
    this.#owner.onConnected(this.#connection);
  }

  /** It will not come up. `detail`: what is wrong with TLS, "" for everything else. */
  failed(detail: string): void {
    this.failureDetail = detail;
    this.#dependencies.recorder.upstreamConnect("failure");
  }

  /**
   * What an error of a socket that was up says: it was reset; or, where nothing was read (`untouched`), the server does not like the
   * client's certificate, which TLS 1.3 tells behind the handshake.
   */
  reasonOf(error: Error, untouched: boolean): FaultReason {
    if (!untouched || !isTlsError(error)) return "upstream-reset";
    this.failureDetail = describeTlsFailure(error).detail;
    return "upstream-tls-failure";
  }

  /** It is of no use any more: its owner is told, once. `failure`: why it never came up. */
  close(failure?: FaultReason): void {
    if (this.closed) return;
    this.closed = true;
    this.#dependencies.clocks.coarse.disarm(this);
    if (this.connected) this.#dependencies.recorder.upstreamClosed();
    this.#owner.onClosed(this.#connection, failure);
  }

  /** Runs what an event calls for: what is thrown in it is a bug of ours and ends here. */
  guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.onBug(error);
    }
  }

  /** Something was thrown inside. */
  onBug(error: unknown): void {
    const { label } = this.#connection.endpoint;
    this.#dependencies.log.error("bug on an upstream connection", { error, endpoint: label });
    this.#connection.failInside();
  }

  /** The connect timeout. */
  override onLate(): void {
    this.#dependencies.recorder.upstreamConnect("timeout");
    this.guard(() => this.#connection.lose("connect-timeout"));
  }
}
