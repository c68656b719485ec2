// The backend of datagrams as a program: `echo.ts PORT` sends every datagram back to where it came from.
import { createSocket } from "node:dgram";

const socket = createSocket({ type: "udp4", recvBufferSize: 4 * 2 ** 20, sendBufferSize: 4 * 2 ** 20 });
socket.on("message", (datagram, from) => socket.send(datagram, from.port, from.address));
socket.bind(Number(process.argv[2]), "127.0.0.1");
