import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp2Server } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { OpenLoopClient } from "./client.ts";
import { monotonicMs } from "./clock.ts";
import { dialectOf, type HttpVersion } from "./dialect.ts";
import { openerFor } from "./opener.ts";

const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

function openClient(port: number, connections: number, version: HttpVersion = "1.1"): Promise<OpenLoopClient> {
  const [opener, dialect] = [openerFor(port, undefined, version), dialectOf(version, "http")];
  return OpenLoopClient.open({ opener, dialect, requests: [request], connections });
}

async function serve(t: TestContext, onRequest: (socket: Socket, count: number) => void): Promise<number> {
  let count = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", () => onRequest(socket, ++count));
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn();
}

test("a request that finds no free connection counts its wait: a slow answer delays those behind it", async (t) => {
  const held: Socket[] = [];
  const port = await serve(t, (socket, count) => {
    if (count === 1) held.push(socket);
    else socket.write(answer);
  });
  const client = await openClient(port, 1);
  const arrived = monotonicMs();
  client.arrive(arrived - 500);
  client.arrive(arrived - 400);
  await until(() => held.length === 1);
  held[0]?.write(answer);
  await until(() => client.pending() === 0);
  const { latencies, failures, longestQueue } = client.end();
  assert.equal(latencies.length, 2);
  assert.ok((latencies[0] ?? 0) >= 500 && (latencies[1] ?? 0) >= 400, latencies.join());
  assert.deepEqual([failures, longestQueue], [0, 1]);
});

test("what has no answer at the end is counted with the time it waited, not left out", async (t) => {
  const port = await serve(t, () => {});
  const client = await openClient(port, 1);
  client.arrive(monotonicMs() - 900);
  client.arrive(monotonicMs() - 800);
  const { latencies, unanswered } = client.end();
  assert.equal(unanswered, 2);
  assert.deepEqual(
    latencies.map((latency) => latency >= 800),
    [true, true],
  );
});

test("a closed connection fails its request and is opened again for the next one", async (t) => {
  const port = await serve(t, (socket, count) => {
    if (count === 1) socket.destroy();
    else socket.write(answer);
  });
  const client = await openClient(port, 1);
  client.arrive(monotonicMs());
  client.arrive(monotonicMs());
  await until(() => client.pending() === 0);
  const { latencies, failures } = client.end();
  assert.deepEqual([latencies.length, failures], [2, 1]);
});

test("answers of 400 and more are failures, and the warm-up is forgotten", async (t) => {
  const port = await serve(t, (socket) => socket.write(answer.replace("200 OK", "503 No")));
  const client = await openClient(port, 2);
  client.arrive(monotonicMs());
  await until(() => client.pending() === 0);
  client.reset();
  client.arrive(monotonicMs());
  client.arrive(monotonicMs());
  await until(() => client.pending() === 0);
  const { latencies, failures } = client.end();
  assert.deepEqual([latencies.length, failures], [2, 2]);
});

test("over HTTP/2 requests follow each other on one connection, and other statuses are failures", async (t) => {
  const paths: unknown[] = [];
  const http2 = createHttp2Server((asked, response) => {
    paths.push(asked.url);
    response.writeHead(paths.length === 2 ? 503 : 200).end("ok");
  });
  t.after(() => http2.close());
  await once(http2.listen(0, "127.0.0.1"), "listening");
  const address = http2.address();
  assert.ok(typeof address === "object" && address !== null);
  const client = await openClient(address.port, 1, "2");
  for (let count = 0; count < 3; count++) client.arrive(monotonicMs());
  await until(() => client.pending() === 0);
  const { latencies, failures } = client.end();
  assert.deepEqual([paths, latencies.length, failures], [["/", "/", "/"], 3, 1]);
});

test("a stream that is reset fails its request, and the next one goes out on a new connection", async (t) => {
  let count = 0;
  const http2 = createHttp2Server((_, response) => {
    if (++count === 1) response.stream.close(2);
    else response.end("ok");
  });
  t.after(() => http2.close());
  await once(http2.listen(0, "127.0.0.1"), "listening");
  const address = http2.address();
  assert.ok(typeof address === "object" && address !== null);
  const client = await openClient(address.port, 1, "2");
  client.arrive(monotonicMs());
  client.arrive(monotonicMs());
  await until(() => client.pending() === 0);
  const { latencies, failures } = client.end();
  assert.deepEqual([latencies.length, failures], [2, 1]);
});
