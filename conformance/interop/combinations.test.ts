// HTTP/1.1 and HTTP/2 on either side of the gateway: whatever the combination, the same must arrive.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { type Backend, digestOfBytes, openBackend, type Version } from "./backend.ts";
import { type Client, converse, openClient } from "./clients.ts";
import { type InteropEdge, openInteropEdge } from "./edge.ts";

const VERSIONS: readonly Version[] = ["h1", "h2"];
const LARGE = 32 << 20;

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

describe("combinations", () => {
  const backends = new Map<Version, Backend>();
  let edge: InteropEdge;

  before(async () => {
    for (const version of VERSIONS) backends.set(version, await openBackend(version));
    edge = await openInteropEdge(Object.fromEntries(backends));
  });
  after(async () => {
    await edge[Symbol.asyncDispose]();
    for (const backend of backends.values()) backend.close();
  });

  for (const transport of ["cleartext", "tls"] as const) {
    for (const down of VERSIONS) {
      for (const up of VERSIONS) {
        describe(`${down} over ${transport} to ${up}`, () => {
          let client: Client;
          before(() => {
            client = openClient(down, edge.origin(transport, up));
          });
          after(() => client[Symbol.dispose]());
          examine(() => client, up);
        });
      }
    }
  }
});

/** Everything that is the same for all. */
function examine(client: () => Client, up: Version): void {
  test("GET, and HEAD with the length of what GET would get", async () => {
    const got = await client().ask({ method: "GET", path: "/" });
    assert.deepEqual([got.status, got.text, got.headers["x-backend"]], [200, "hello", up]);
    const head = await client().ask({ method: "HEAD", path: "/" });
    assert.deepEqual([head.status, head.length, head.headers["content-length"]], [200, 0, "5"]);
    assert.equal(head.headers["x-method"], "HEAD");
  });

  test("POST with a length, in pieces without one, and empty", async () => {
    const body = Buffer.alloc(100_000, "body");
    const whole = await client().ask({ method: "POST", path: "/echo", body });
    assert.deepEqual([whole.status, whole.digest], [200, sha256(body)]);
    assert.equal(whole.headers["x-request-length"], String(body.length));
    const pieces = [1, 2, 30_000, 4].map((size) => Buffer.alloc(size, "p"));
    const streamed = await client().ask({ method: "POST", path: "/echo", pieces });
    assert.deepEqual([streamed.status, streamed.digest], [200, sha256(Buffer.concat(pieces))]);
    const empty = await client().ask({ method: "POST", path: "/echo", body: Buffer.alloc(0) });
    assert.deepEqual([empty.status, empty.length], [200, 0]);
  });

  test("trailers both ways", async () => {
    const pieces = [Buffer.from("body")];
    const trailers = { "x-checksum": "c0ffee" };
    const got = await client().ask({
      method: "POST",
      path: "/echo",
      headers: { trailer: "x-checksum" },
      pieces,
      trailers,
    });
    assert.deepEqual([got.status, got.text], [200, "body"]);
    assert.equal(got.trailers["x-echoed"], "c0ffee");
  });

  test("103 before 200", async () => {
    const got = await client().ask({ method: "GET", path: "/hints" });
    const hints = got.interim.map(({ status, headers }) => [status, headers["x-hint"]]);
    assert.deepEqual(hints, [[103, "early"]]);
    assert.deepEqual([got.status, got.text], [200, "hello"]);
  });

  test("a client that waits for 100 gets it", async () => {
    const body = Buffer.from("waited");
    const got = await client().ask({ method: "POST", path: "/echo", headers: { expect: "100-continue" }, body });
    assert.deepEqual([got.status, got.text], [200, "waited"]);
    assert.deepEqual(
      got.interim.map(({ status }) => status),
      [100],
    );
  });

  test("204 and 304 have no body", async () => {
    const empty = await client().ask({ method: "GET", path: "/no-content" });
    assert.deepEqual([empty.status, empty.length, empty.headers["content-length"]], [204, 0, undefined]);
    const same = await client().ask({ method: "GET", path: "/not-modified", headers: { "if-none-match": '"v1"' } });
    assert.deepEqual([same.status, same.length, same.headers["etag"]], [304, 0, '"v1"']);
  });

  test("an answer before the request's body is whole, and the next request", async () => {
    const body = Buffer.alloc(1 << 20, "x");
    const got = await client().ask({ method: "POST", path: "/early", body });
    assert.deepEqual([got.status, got.text], [413, "hello"]);
    assert.equal((await client().ask({ method: "GET", path: "/" })).text, "hello");
  });

  test("32 MiB down, and up and down at once", async () => {
    const down = await client().ask({ method: "GET", path: `/bytes?n=${LARGE}` });
    assert.deepEqual([down.status, down.length, down.digest], [200, LARGE, digestOfBytes(LARGE)]);
    const body = Buffer.alloc(LARGE, "0123456789");
    const both = await client().ask({ method: "POST", path: "/echo", body });
    assert.deepEqual([both.status, both.length, both.digest], [200, LARGE, sha256(body)]);
  });

  test("a hundred requests at once", async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => client().ask({ method: "GET", path: `/bytes?n=${index * 1000}` })),
    );
    for (const [index, answer] of answers.entries()) assert.equal(answer.digest, digestOfBytes(index * 1000));
  });

  test("a WebSocket", async () => {
    const texts = ["one", "", "grüße ☃", "x".repeat(60_000)];
    assert.deepEqual(await converse(await client().openWebSocket("/chat"), texts), texts);
  });
}
