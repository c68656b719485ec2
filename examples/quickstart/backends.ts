/**
 * The demo backends of the quickstart: a landing page and two versions of an echo API, on three loopback ports in a row.
 * Usage: node backends.ts [FIRST_PORT]; services.yaml names the ports from 9100 on.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { readFile } from "node:fs/promises";

const FIRST_PORT = Number(process.argv[2] ?? 9100);
const ECHO_PORTS = { v1: FIRST_PORT + 1, v2: FIRST_PORT + 2 } as const;
const page = await readFile(new URL("./landing.html", import.meta.url));

serve(FIRST_PORT, (request, response) => {
  if (request.url !== "/") {
    response.writeHead(404, { "content-type": "text/plain" }).end("no such page\n");
    return;
  }
  response.writeHead(200, { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" }).end(page);
});
for (const [version, port] of Object.entries(ECHO_PORTS))
  serve(port, (request, response) => echo(version, request, response));

/** Answers with what arrived, so that one sees what the gateway forwards. */
function echo(version: string, request: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = request;
  const body = JSON.stringify({ version, method, url, headers }, null, 2);
  request.resume();
  response.writeHead(200, { "content-type": "application/json" }).end(`${body}\n`);
}

function serve(port: number, answer: (request: IncomingMessage, response: ServerResponse) => void): void {
  const server = createServer(answer);
  server.on("error", (error) => {
    console.error(`demo backend: cannot listen on 127.0.0.1:${port}: ${error.message}`);
    process.exit(1);
  });
  server.listen(port, "127.0.0.1");
}
