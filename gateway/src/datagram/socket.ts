/** Datagram sockets for addresses: nothing is looked up, and what cannot be sent is dropped, as a router would. */
import { createSocket, type Socket, type SocketOptions } from "node:dgram";
import { isIPv6 } from "node:net";

/** Bytes that may wait in one socket for the kernel; what comes beyond is dropped. */
const SEND_QUEUE = 262_144;

/** A socket of the family of this IP literal. */
export function openDatagramSocket(address: string, options: Omit<SocketOptions, "type" | "lookup"> = {}): Socket {
  // binding, connecting and sending would each look addresses up, and be done a turn later
  return createSocket({ ...options, type: isIPv6(address) ? "udp6" : "udp4", lookup: takeLiteral });
}

/** Whether the socket takes another datagram now. */
export function hasRoom(socket: Socket): boolean {
  return socket.getSendQueueSize() <= SEND_QUEUE;
}

function takeLiteral(
  address: string,
  _family: unknown,
  done: (error: null, address: string, family: number) => void,
): void {
  done(null, address, address.includes(":") ? 6 : 4);
}
