import assert from "node:assert/strict";
import { test } from "node:test";
import { RawClient } from "@sallyport/testkit/raw-client";
import { openOperatorServer, toTextReply, type OperatorServer } from "./http.ts";
import type { OperatorRequest } from "./operator-request.ts";

function open(
  answer = (request: OperatorRequest): string => `${request.method} ${request.path}\n`,
): Promise<OperatorServer> {
  return openOperatorServer({
    host: "127.0.0.1",
    port: 0,
    answer: (request) => toTextReply(200, answer(request)),
    onError: (error) => assert.fail(String(error)),
  });
}

/** Sends the pieces one by one; resolves with everything that came back until the connection ended. */
async function exchange(server: OperatorServer, ...pieces: readonly string[]): Promise<string> {
  const client = await RawClient.open({ port: server.port });
  for (const piece of pieces) await client.send(piece);
  await client.signal.require(() => client.state !== "open", 5_000, "the end of the connection");
  client.close();
  return client.received;
}

test("a request is answered whole, and its connection ends", async () => {
  const server = await open();
  const answer = await exchange(server, "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n");
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\ndate: [^\r]+ GMT\r\ncontent-type: text\/plain; charset=utf-8\r\n/);
  assert.match(answer, /\r\ncontent-length: 7\r\n.*\r\nconnection: close\r\n\r\nGET \/a\n$/s);
  await server.close();
});

test("a head may come in pieces, and a body that follows is of no interest", async () => {
  const server = await open((request) => `${request.query.get("level")} ${request.header("x-a")}\n`);
  const pieces = ["POST /logging?level=de", "bug HTTP/1.1\r\nX-A: 1\r\nx-a: 2 \r\nContent-Le", "ngth: 3\r\n\r\nabc"];
  assert.match(await exchange(server, ...pieces), /\r\n\r\ndebug 1, 2\n$/);
  await server.close();
});

test("HEAD gets the head of what GET gets", async () => {
  const server = await open();
  assert.match(await exchange(server, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"), /content-length: 6\r\n.*\r\n\r\n$/s);
  await server.close();
});

test("what is not plainly HTTP is refused", async () => {
  const server = await open(() => assert.fail("answered"));
  const refused = [
    "GET / HTTP/2.0\r\n\r\n",
    "GET http://x/ HTTP/1.1\r\n\r\n",
    "GET  / HTTP/1.1\r\n\r\n",
    "get / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\nHost: x\r\n\r\n",
    "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "GET / HTTP/1.1\r\nX: \u0001\r\n\r\n",
    "\r\n\r\n",
  ];
  for (const head of refused) assert.match(await exchange(server, head), /^HTTP\/1\.1 400 Bad Request\r\n/, head);
  await server.close();
});

test("a head that is too large is refused before it ends", async () => {
  const server = await open(() => assert.fail("answered"));
  assert.match(await exchange(server, `GET / HTTP/1.1\r\nX: ${"a".repeat(20_000)}`), /^HTTP\/1\.1 431 /);
  await server.close();
});

test("a client that ends without asking anything is let go, one that says nothing does not keep the server from closing", async () => {
  const server = await open();
  const ended = await RawClient.open({ port: server.port });
  ended.end();
  await ended.signal.require(() => ended.state !== "open", 5_000, "the end of the connection");
  const silent = await RawClient.open({ port: server.port });
  await server.close();
  await silent.signal.require(() => silent.state !== "open", 5_000, "the end of the connection");
  for (const client of [ended, silent]) client.close();
});
