/** The ways of a TLS port: the most specific listener by server name, then how it terminates and where it passes bytes on. */
import type { CompiledListener, CompiledStreamRoute, CompiledTls, CompiledTlsChain } from "../router/contract.ts";
import type { TlsTermination } from "../router/contract.ts";
import { HostTable } from "../router/host-table.ts";
import type { ListenerStreams } from "./streams.ts";
import type { ListenerTermination } from "./terminations.ts";

/** One listener of a TLS port. */
export interface TlsWay {
  readonly listener: CompiledListener;
  readonly termination: ListenerTermination | undefined;
  readonly streams: ListenerStreams | undefined;
}

/** Chooses among the listeners of a port, which are given by hostname (`*` for all). */
export class PortTls implements CompiledTls {
  readonly #table: HostTable<TlsWay>;

  constructor(ways: ReadonlyMap<string, TlsWay>) {
    this.#table = new HostTable(ways);
  }

  choose(serverName: string | undefined): CompiledTlsChain | undefined {
    // No name is under no wildcard: only a listener for all hosts serves it.
    const way = this.#table.find(serverName ?? "");
    if (way === undefined) return undefined;
    const { listener, termination, streams } = way;
    const terminates = listener.protocol !== "tls-passthrough";
    const terminated = terminates ? termination?.find(serverName) : undefined;
    if (terminates && terminated === undefined) return undefined;
    const stream = listener.protocol === "https" ? undefined : streams?.find(serverName);
    return toChain(listener, terminated, stream);
  }
}

/** Stands for what a chain does without. */
const NONE = {};

type ChainsByRoute = WeakMap<object, CompiledTlsChain>;
/** By listener, termination and route: a chain lives as long as all three, over any number of configurations. */
const chains = new WeakMap<CompiledListener, WeakMap<object, ChainsByRoute>>();

function toChain(
  listener: CompiledListener,
  termination: TlsTermination | undefined,
  stream: CompiledStreamRoute | undefined,
): CompiledTlsChain {
  const byTermination = chains.get(listener) ?? new WeakMap<object, ChainsByRoute>();
  const byRoute = byTermination.get(termination ?? NONE) ?? new WeakMap<object, CompiledTlsChain>();
  const known = byRoute.get(stream ?? NONE);
  if (known !== undefined) return known;
  const carries = listener.protocol === "https" ? "http" : "stream";
  const chain: CompiledTlsChain = { listener, termination, carries, stream };
  chains.set(listener, byTermination);
  byTermination.set(termination ?? NONE, byRoute);
  byRoute.set(stream ?? NONE, chain);
  return chain;
}
