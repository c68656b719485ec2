/**
 * The demo backends of this example, on four loopback ports: a shop over HTTPS, the same over HTTP, an echo over TCP and one
 * over UDP. Usage: node backends.ts CERTIFICATE_DIRECTORY [PORT PORT PORT PORT]; services.yaml names 9200 to 9203.
 */
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import { createServer as createTcp } from "node:net";
import { join } from "node:path";

const HOST = "127.0.0.1";
const certificates = process.argv[2] ?? "certificates/backend";
const [https = 9200, http = 9201, tcp = 9202, udp = 9203] = process.argv.slice(3).map(Number);

const key = readFileSync(join(certificates, "tls.key"));
const cert = readFileSync(join(certificates, "tls.crt"));
const datagrams = createSocket("udp4", (datagram, { port, address }) => datagrams.send(datagram, port, address));
const servers = [
  createHttps({ key, cert }, answer).listen(https, HOST),
  createHttp(answer).listen(http, HOST),
  createTcp((socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  }).listen(tcp, HOST),
  datagrams.bind(udp, HOST),
];
for (const server of servers) {
  server.on("error", (error: Error) => {
    console.error(`demo backend: ${error.message}`);
    process.exit(1);
  });
}

/** Answers with what arrived, so that one sees what the gateway says of the client. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = request;
  request.resume();
  response.writeHead(200, { "content-type": "application/json" });
  response.end(`${JSON.stringify({ method, url, headers }, null, 2)}\n`);
}
