/**
 * The configuration that a client connection is served under. What is in force is taken over when a request begins, and while nothing is
 * under way: an idle connection holds none that is not in force.
 */
import type { CompiledBind, Runtime } from "../router/contract.ts";
import { type ConnectionTerm, followTerm, type TermOwner } from "./connection-term.ts";
import type { DownstreamConnection } from "./contract.ts";
import { isOutdated } from "./in-force.ts";
import type { ServerPort } from "./server-port.ts";

/** What one connection knows of its port. */
export class FollowedBind {
  runtime: Runtime;
  bind: CompiledBind;
  /** Its handshake would be held against something else by now: its next request could only be misdirected. */
  outdated: boolean;
  /** How long the connection may be used; undefined: as long as its client likes. */
  term: ConnectionTerm | undefined;
  readonly #port: ServerPort;
  readonly #about: DownstreamConnection;
  readonly #owner: TermOwner;

  constructor(port: ServerPort, about: DownstreamConnection, owner: TermOwner) {
    this.#port = port;
    this.#about = about;
    this.#owner = owner;
    this.runtime = port.runtime();
    this.bind = port.bindOf(this.runtime);
    this.outdated = isOutdated(about, this.bind);
    this.term = followTerm(undefined, this.bind.http, owner, port.dependencies);
  }

  /** Takes over what is in force. True: the options of HTTP are others by now. */
  follow(): boolean {
    const runtime = this.#port.runtime();
    return runtime !== this.runtime && this.#takeOver(runtime);
  }

  #takeOver(runtime: Runtime): boolean {
    const before = this.bind;
    const bind = this.#port.bindOf(runtime);
    const isOther = bind.http !== before.http;
    if (isOther) this.term = followTerm(this.term, bind.http, this.#owner, this.#port.dependencies);
    if (bind !== before) this.outdated = isOutdated(this.#about, bind);
    this.runtime = runtime;
    this.bind = bind;
    return isOther;
  }
}
