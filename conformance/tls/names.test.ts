// Server names: which certificate and which listener a client gets, whatever way its first message arrives.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createAuthority } from "@sallyport/testkit/certs";
import { freePorts } from "@sallyport/testkit/process";
import { RawClient } from "@sallyport/testkit/raw-client";
import { RawUpstream } from "@sallyport/testkit/raw-upstream";
import { fieldValues } from "@sallyport/testkit/strict-http";
import { PATIENCE, plain } from "../faults/asking.ts";
import { rawHead } from "../protocol/case.ts";
import { askTls } from "./client.ts";
import { openGateway, type RunningGateway } from "./gateway.ts";
import { GATEWAY_CLASS, gateway, httpRoute, httpsListener, join, secret, service } from "./objects.ts";
import { openRelay } from "./relay.ts";

/** A version 1 header of the PROXY protocol. */
const PROXY = Buffer.from("PROXY TCP4 192.0.2.7 192.0.2.8 4711 443\r\n");

describe("server names", () => {
  let running: RunningGateway | undefined;
  let upstream: RawUpstream | undefined;
  let ports: readonly number[] = [];
  const [all, named, proxied] = [() => ports[0] ?? 0, () => ports[1] ?? 0, () => ports[2] ?? 0];

  before(async () => {
    const authority = await createAuthority();
    const issue = (...names: string[]) => authority.issue({ names });
    upstream = await RawUpstream.open(() => plain());
    ports = await freePorts(3);
    running = await openGateway({
      "edge.yaml": join([
        GATEWAY_CLASS,
        gateway([
          httpsListener("any", all()),
          httpsListener("a", all(), "a.test"),
          httpsListener("wild", all(), "*.wild.test"),
          httpsListener("b", named(), "b.test"),
          httpsListener("c", named(), "c.test"),
        ]),
        ...["any", "a", "wild", "b", "c"].map((listener) => httpRoute(listener, listener, "backend")),
        service("backend", upstream.port),
        secret("any", await issue("any.test")),
        secret("a", await issue("a.test")),
        secret("wild", await issue("*.wild.test")),
        secret("b", await issue("b.test")),
        secret("c", await issue("c.test")),
      ]),
      "proxied.yaml": join([
        gateway([httpsListener("p", proxied())], {
          name: "proxied",
          annotations: { "sallyport.io/proxy-protocol": "127.0.0.1/32" },
        }),
        httpRoute("p", "p", "backend", "proxied"),
        secret("p", await issue("p.test")),
      ]),
    });
  });

  after(async () => {
    await running?.stop();
    await upstream?.close();
  });

  const request = (host: string): string => rawHead("GET / HTTP/1.1", `Host: ${host}`, "Connection: close");

  test("each name gets the certificate of its most specific listener", async () => {
    for (const [servername, peer] of [
      ["a.test", "DNS:a.test"],
      ["x.wild.test", "DNS:*.wild.test"],
      ["x.y.wild.test", "DNS:*.wild.test"],
      ["other.test", "DNS:any.test"],
      ["A.Test", "DNS:a.test"],
    ] as const) {
      const outcome = await askTls({ port: all(), servername }, request(servername));
      assert.equal(outcome.peer, peer, servername);
      assert.equal(outcome.status, 200, servername);
    }
  });

  test("a client without a name gets the listener for all hosts, and nothing where there is none", async () => {
    const outcome = await askTls({ port: all() }, request("127.0.0.1"));
    assert.equal(outcome.peer, "DNS:any.test");
    assert.equal(outcome.status, 200);
    assert.equal((await askTls({ port: named() })).version, "");
  });

  test("a name that nobody serves is closed without an alert", async () => {
    const relay = await openRelay(named());
    try {
      const outcome = await askTls({ port: relay.port, servername: "unknown.test" });
      assert.equal(outcome.version, "");
      assert.match(outcome.error, /ECONNRESET|disconnected/);
      assert.equal(relay.received().length, 0, "not a byte");
    } finally {
      relay.close();
    }
  });

  test("a host of another listener than the name's is misdirected", async () => {
    for (const [servername, host, status] of [
      ["a.test", "a.test", 200],
      ["a.test", "b.wild.test", 421],
      ["a.test", "nobody.test", 421],
      ["x.wild.test", "y.wild.test", 200],
      ["nobody.test", "a.test", 421],
      ["nobody.test", "somebody.test", 200],
      ["a.test", "a.test:8443", 200],
    ] as const) {
      const outcome = await askTls({ port: all(), servername }, request(host));
      assert.equal(outcome.status, status, `${servername} asks for ${host}`);
    }
    assert.equal((await askTls({ port: named(), servername: "b.test" }, request("c.test"))).status, 421);
    assert.equal((await askTls({ port: named(), servername: "b.test" }, request("none.test"))).status, 421);
  });

  test("a ClientHello may come in any two segments, and byte by byte", async () => {
    for (const cut of [1, 4, 5, 6, 43, 44, 100, 200]) {
      const relay = await openRelay(all(), { cuts: (bytes) => (cut < bytes.length ? [cut] : []) });
      try {
        const outcome = await askTls({ port: relay.port, servername: "a.test" }, request("a.test"));
        assert.equal(outcome.peer, "DNS:a.test", `cut at ${cut}`);
        assert.equal(outcome.status, 200);
      } finally {
        relay.close();
      }
    }
    const relay = await openRelay(all(), {
      cuts: (bytes) => Array.from({ length: bytes.length - 1 }, (_, at) => at + 1),
    });
    try {
      assert.equal((await askTls({ port: relay.port, servername: "a.test" }, request("a.test"))).status, 200);
    } finally {
      relay.close();
    }
  });

  test("a post-quantum ClientHello, which needs two segments, is understood", async () => {
    let size = 0;
    const relay = await openRelay(all(), {
      cuts: (bytes) => {
        size = bytes.length;
        return [1200];
      },
    });
    try {
      const options = { port: relay.port, servername: "a.test", ecdhCurve: "X25519MLKEM768:X25519" };
      const outcome = await askTls(options, request("a.test"));
      assert.ok(size > 1400, `${size} bytes`);
      assert.equal(outcome.status, 200);
      assert.equal(outcome.peer, "DNS:a.test");
    } finally {
      relay.close();
    }
  });

  test("a ClientHello may be joined to a PROXY header, and both may be cut", async () => {
    for (const cuts of [[], [3], [PROXY.length - 1], [PROXY.length], [PROXY.length + 1], [10, PROXY.length + 80]]) {
      const relay = await openRelay(proxied(), { prefix: PROXY, cuts: () => cuts });
      upstream?.begin(() => plain());
      try {
        const outcome = await askTls({ port: relay.port, servername: "p.test" }, request("p.test"));
        assert.equal(outcome.status, 200, `cut at ${cuts.join(", ")}`);
        const fields = upstream?.requests[0]?.message.fields ?? [];
        assert.deepEqual(fieldValues(fields, "x-forwarded-for"), ["192.0.2.7"]);
      } finally {
        relay.close();
      }
    }
  });

  test("without the PROXY header that a trusted peer must send, the connection is closed", async () => {
    assert.equal((await askTls({ port: proxied(), servername: "p.test" })).version, "");
  });

  test("what is plain HTTP on a port of TLS is told so", async () => {
    const client = await RawClient.open({ port: all() });
    await client.send(rawHead("GET / HTTP/1.1", "Host: a.test"));
    await client.signal.require(() => client.state !== "open", PATIENCE, "the end of the connection");
    assert.equal(client.responses[0]?.status, 400);
    assert.match(client.responses[0]?.body ?? "", /TLS/);
    client.close();
  });
});
