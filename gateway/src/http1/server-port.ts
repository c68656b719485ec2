/** What the connections of one bound port share: the running configuration and what their exchanges stand on. */
import type { ExchangeDependencies } from "../exchange/dependencies.ts";
import type { CompiledBind, Runtime } from "../router/contract.ts";

/** The listener's side of a connection. */
export interface ServerPort {
  readonly dependencies: ExchangeDependencies;
  /** Connections are being let go: answers carry Connection: close. */
  readonly draining: boolean;
  /** Looked up for each request. */
  runtime(): Runtime;
  /** This port in a runtime; the one before where a runtime does not know it. */
  bindOf(runtime: Runtime): CompiledBind;
}
