/** Opens connections of HTTP/2 to endpoints, or takes over those for which TLS has chosen it. */
import type { OpenOptions, UpstreamConnection } from "../cluster/contract.ts";
import type { UpstreamDependencies } from "../exchange/dependencies.ts";
import { Inlet } from "../wire/inlet.ts";
import { connectUpstream, type SettledSocket, type UpstreamSocketOwner } from "../wire/upstream-socket.ts";
import { ClientConnection } from "./client-connection.ts";

/** What opening takes. */
export type Http2ClientOpening = Omit<OpenOptions, "protocol" | "upgrades">;

/** What is offered in TLS handshakes; nothing else will do (RFC 9113 section 3.2). */
const PROTOCOLS = ["h2"];

/** Opens a connection. Requests may be handed over before it is up; with TLS they wait until the peer is verified. */
export function openHttp2(options: Http2ClientOpening, dependencies: UpstreamDependencies): UpstreamConnection {
  const { cluster, endpoint, tls, tcpKeepAlive } = options;
  const { log, sockets } = dependencies;
  const inlet = new Inlet();
  const waiting = new Waiting();
  const wanted = { applicationProtocols: PROTOCOLS, required: "h2" };
  const target = { cluster, endpoint, tls, tcpKeepAlive, ...wanted, ways: sockets, log };
  const socket = connectUpstream(target, inlet, waiting);
  const client = new ClientConnection({ socket: socket.socket, ways: socket.ways, inlet }, options, dependencies);
  waiting.client = client;
  client.awaitSocket();
  return client;
}

/** Speaks HTTP/2 on a socket that is up, where TLS has chosen it. */
export function adoptHttp2(
  options: Http2ClientOpening,
  dependencies: UpstreamDependencies,
  socket: SettledSocket,
): UpstreamConnection {
  const client = new ClientConnection(socket, options, dependencies);
  client.onUp();
  return client;
}

/** Passes on what becomes of a socket, which comes later than the connection made of it. */
class Waiting implements UpstreamSocketOwner {
  client: ClientConnection | undefined = undefined;

  onUp(): void {
    this.client?.onUp();
  }

  onUpFailed(reason: "connect-failure" | "upstream-tls-failure", detail: string): void {
    this.client?.onUpFailed(reason, detail);
  }
}
