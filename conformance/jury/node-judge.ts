// A judge: node:http. Prints its port, then each complete request as a line of JSON, and answers 200.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import { sortedFields } from "./judgement.ts";

function pairs(raw: readonly string[]): (readonly [string, string])[] {
  const all: (readonly [string, string])[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) all.push([raw[index] ?? "", raw[index + 1] ?? ""]);
  return all;
}

function report(request: IncomingMessage, body: Buffer): string {
  return JSON.stringify({
    method: request.method ?? "",
    target: request.url ?? "",
    host: request.headers.host ?? "",
    fields: sortedFields(pairs(request.rawHeaders)),
    trailers: sortedFields(pairs(request.rawTrailers)),
    length: body.length,
    sha256: createHash("sha256").update(body).digest("hex"),
  });
}

const server = createServer({ maxHeaderSize: 256 * 1024, keepAliveTimeout: 60_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    process.stdout.write(`${report(request, Buffer.concat(chunks))}\n`, () => {
      response.writeHead(200, { "Content-Length": 2, "X-Judge": "node" });
      response.end(request.method === "HEAD" ? undefined : "ok");
    });
  });
  request.on("error", () => undefined);
});
server.maxHeadersCount = 0;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`${JSON.stringify({ port: typeof address === "object" ? address?.port : undefined })}\n`);
});
