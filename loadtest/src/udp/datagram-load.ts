// The datagram client as a program: `datagram-load.ts SETUP-AS-JSON` keeps windows of 64-byte datagrams on their way through
// many sockets and prints what it saw in the form of the closed loop's totals.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeClientSetup } from "../client-setup.ts";
import { totalsLine } from "../closed-loop.ts";
import { DatagramWindow } from "./window.ts";

const datagramBytes = 64;
const perSocket = 8;
const lookEveryMs = 200;

const setup = decodeClientSetup(process.argv[2] ?? "");
const windows = await Promise.all(Array.from({ length: setup.connections }, () => openWindow(setup.port)));
const started = performance.now();
for (const window of windows) window.fill();
const looking = setInterval(() => windows.forEach((window) => window.look()), lookEveryMs);
await sleep(setup.seconds * 1000);
clearInterval(looking);
const seconds = (performance.now() - started) / 1000;
const sum = (of: (window: DatagramWindow) => number): number => windows.reduce((total, each) => total + of(each), 0);
const requests = sum(({ echoed }) => echoed);
const line = totalsLine({ requests, seconds, bytes: requests * datagramBytes, failures: sum(({ lost }) => lost) });
process.stdout.write(line, () => process.exit());

async function openWindow(port: number): Promise<DatagramWindow> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 2 ** 20 });
  socket.on("error", () => {});
  socket.connect(port, "127.0.0.1");
  await once(socket, "connect");
  const window = new DatagramWindow(perSocket, (sequence) => {
    const datagram = Buffer.alloc(datagramBytes);
    datagram.writeUInt32BE(sequence);
    socket.send(datagram);
  });
  socket.on("message", (datagram) => {
    if (datagram.length === datagramBytes) window.receive(datagram.readUInt32BE());
  });
  return window;
}
