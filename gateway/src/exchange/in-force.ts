/** What a client connection asks of the configuration in force: whether it still holds, and how to let an old one go. */
import type { CompiledBind, Runtime } from "../router/contract.ts";
import type { DownstreamConnection } from "./contract.ts";

/** Stands where an exchange goes on without its configuration. */
export const NO_RUNTIME: Runtime = { epoch: -1, binds: new Map(), cluster: () => undefined };

/** Whether a handshake for the same name would be held against something else than that of the connection was. */
export function isOutdated({ tls }: DownstreamConnection, bind: CompiledBind): boolean {
  if (tls === undefined) return false;
  const chain = bind.tls?.choose(tls.serverName);
  return chain?.listener.key !== tls.listenerKey || chain.termination?.sessionContext !== tls.sessionContext;
}

/** The bind for an exchange that has gone upstream: limits and listener it began with, and none of the routes. */
export function withoutRoutes({
  key,
  address,
  port,
  transport,
  http,
  fallback,
  connections,
}: CompiledBind): CompiledBind {
  const none = { tls: undefined, stream: undefined, proxyProtocol: undefined };
  return { key, address, port, transport, http, fallback, connections, ...none, route: () => undefined };
}
