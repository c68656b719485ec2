/** Requests that are given up at once, to an endpoint that reads nothing: their frames must not pile up without end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { Asked, FrameServer, toHead } from "./frame-server.ts";

test("the client role of HTTP/2: what an endpoint does not read is refused beyond some megabytes", async (t) => {
  const server = await FrameServer.open(t);
  await server.settle();
  server.pause();
  const asked: Asked[] = [];
  for (let i = 0; i < 40; i++) {
    const one = new Asked();
    asked.push(one);
    one.stream = server.connection.open(one);
    const head = toHead();
    head.setHeader("x-large", `${String(i)}${"x".repeat(1_000_000)}`);
    one.stream.sendHead(head, "none", "content");
    // the last one stays, to see what becomes of it
    if (i < 39) one.stream.cancel();
  }
  await eventually(() => asked[39]?.failure !== undefined, { what: "a refusal" });
  assert.deepEqual(asked[39]?.failure, ["upstream-refused", "unseen"]);
  assert.deepEqual(server.bugs, []);
});
