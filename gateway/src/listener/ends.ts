/** Who is at the two ends of an accepted connection. */
import type { Socket } from "node:net";
import { toHostPort } from "@sallyport/model/listener";
import type { DownstreamConnection } from "../exchange/contract.ts";
import { flatten } from "../head/flat-string.ts";
import { unmapAddress } from "../wire/address.ts";
import type { ProxyAddress } from "./proxy-header.ts";

/** The part of a connection's description that is known before a byte is read. */
export type ConnectionEnds = Pick<DownstreamConnection, "remoteAddress" | "remote" | "local" | "peer">;

/** As the socket says. To be asked while it is connected. */
export function describeEnds(socket: Socket): ConnectionEnds {
  const remoteAddress = unmapAddress(socket.remoteAddress ?? "");
  const remote = toText(remoteAddress, socket.remotePort ?? 0);
  const local = toText(unmapAddress(socket.localAddress ?? ""), socket.localPort ?? 0);
  return { remoteAddress, remote, local, peer: remote };
}

/** As a trusted peer says; the peer stays who it is. */
export function describeProxied(ends: ConnectionEnds, source: ProxyAddress, destination: ProxyAddress): ConnectionEnds {
  return {
    remoteAddress: flatten(source.address),
    remote: toText(source.address, source.port),
    local: toText(destination.address, destination.port),
    peer: ends.peer,
  };
}

function toText(address: string, port: number): string {
  return flatten(toHostPort({ address, port }));
}
