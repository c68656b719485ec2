/**
 * How long a client connection is used: so many requests, or so much time. After that it is let go like one of a port that drains:
 * what it carries is finished. What a configuration says anew counts from when the connection learns of it.
 */
import type { HttpServerOptions } from "@sallyport/model/listener";
import { Timed } from "../time/wheel.ts";
import type { ExchangeDependencies } from "./dependencies.ts";

/** What of the listener's options says it. */
export type TermOptions = Pick<HttpServerOptions, "maxRequests" | "maxDuration">;

/** The connection. */
export interface TermOwner {
  /** Lets the client go as soon as nothing is under way. */
  drain(): void;
}

/** Share of its time that a connection may end early: clients that came at once must not all come back at once. */
const SPREAD = 0.1;

/** The term of one connection that has one. */
export class ConnectionTerm extends Timed {
  /** The connection takes nothing more. */
  isOver = false;
  readonly #owner: TermOwner;
  readonly #dependencies: Pick<ExchangeDependencies, "clocks" | "random">;
  #requests = 0;
  #maxRequests = 0;
  #maxDuration = 0;

  constructor(owner: TermOwner, dependencies: Pick<ExchangeDependencies, "clocks" | "random">) {
    super();
    this.#owner = owner;
    this.#dependencies = dependencies;
  }

  /** Takes over limits; 0 and absent are none. */
  follow({ maxRequests = 0, maxDuration = 0 }: TermOptions): void {
    this.#maxRequests = maxRequests;
    if (maxDuration === this.#maxDuration) return;
    this.#maxDuration = maxDuration;
    const { clocks, random } = this.#dependencies;
    if (maxDuration > 0) clocks.coarse.arm(this, maxDuration * (1 - SPREAD * random()));
    else clocks.coarse.disarm(this);
  }

  /** One more request has begun. */
  count(): void {
    this.#requests++;
    if (this.#maxRequests > 0 && this.#requests >= this.#maxRequests) this.isOver = true;
  }

  /** The connection is closed. */
  close(): void {
    this.#dependencies.clocks.coarse.disarm(this);
  }

  override onLate(): void {
    this.isOver = true;
    this.#owner.drain();
  }
}

/** The term of a connection under these options: `term`, which it has already, or one where it needs one now. */
export function followTerm(
  term: ConnectionTerm | undefined,
  options: TermOptions,
  owner: TermOwner,
  dependencies: Pick<ExchangeDependencies, "clocks" | "random">,
): ConnectionTerm | undefined {
  if (term === undefined && options.maxRequests === undefined && options.maxDuration === undefined) return undefined;
  const followed = term ?? new ConnectionTerm(owner, dependencies);
  followed.follow(options);
  return followed;
}
