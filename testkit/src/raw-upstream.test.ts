import assert from "node:assert/strict";
import { test } from "node:test";
import { RawClient } from "./raw-client.ts";
import { RawUpstream } from "./raw-upstream.ts";
import type { AnswerStep } from "./raw-upstream.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const GET = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

async function pair(...steps: readonly AnswerStep[]): Promise<{ upstream: RawUpstream; client: RawClient }> {
  const upstream = await RawUpstream.open(() => ({ when: "complete", steps }));
  return { upstream, client: await RawClient.open({ port: upstream.port }) };
}

test("an upstream records requests and answers each as scripted", async (t) => {
  const { upstream, client } = await pair({ pause: 1 }, OK);
  t.after(() => {
    client.close();
    return upstream.close();
  });
  await client.send(GET + GET);
  await client.signal.require(() => client.responses.length === 2, 2000, "two answers");
  assert.equal(upstream.requests.length, 2);
  assert.equal(upstream.connections[0]?.received, GET + GET);
  client.close();
});

test("a reset by the upstream is told apart from an end", async (t) => {
  const { upstream, client } = await pair("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", { do: "reset" });
  t.after(() => {
    client.close();
    return upstream.close();
  });
  await client.send(GET);
  await client.signal.require(() => client.state !== "open", 2000, "the end");
  assert.equal(client.state, "reset");
});

test("an end by the upstream leaves what was sent before it readable", async (t) => {
  const { upstream, client } = await pair(OK, { do: "end" });
  t.after(() => {
    client.close();
    return upstream.close();
  });
  await client.send(GET);
  await client.signal.require(() => client.state !== "open", 2000, "the end");
  assert.equal(client.state, "ended");
  assert.equal(client.responses[0]?.body, "ok");
  client.close();
});

test("a tunnel echoes and keeps its bytes apart from the requests", async (t) => {
  const { upstream, client } = await pair("HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\n", { do: "echo" });
  t.after(() => {
    client.close();
    return upstream.close();
  });
  await client.send(GET);
  await client.signal.require(() => client.interim.length === 1, 2000, "the switch");
  await client.send("\0raw");
  await client.signal.require(() => client.reader.tunnel === "\0raw", 2000, "the echo");
  assert.equal(upstream.connections[0]?.reader.tunnel, "\0raw");
  client.close();
});

test("a new script forgets what was seen and drops connections with a message in work", async (t) => {
  const { upstream, client } = await pair(OK);
  t.after(() => {
    client.close();
    return upstream.close();
  });
  await client.send("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf");
  await upstream.signal.require(() => upstream.requests.length === 1, 2000, "the head");
  upstream.begin(() => ({ when: "complete", steps: [OK] }));
  await client.signal.require(() => client.state !== "open", 2000, "the end");
  assert.equal(upstream.requests.length, 0);
});
