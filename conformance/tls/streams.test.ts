// What is passed on as bytes: TLS by server name, still encrypted or decrypted, TCP and UDP.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { createServer } from "node:tls";
import { createAuthority } from "@sallyport/testkit/certs";
import { freePorts } from "@sallyport/testkit/process";
import { RawUpstream } from "@sallyport/testkit/raw-upstream";
import { plain } from "../faults/asking.ts";
import { rawHead } from "../protocol/case.ts";
import { askTls } from "./client.ts";
import { openGateway, type RunningGateway } from "./gateway.ts";
import { GATEWAY_CLASS, gateway, httpRoute, httpsListener, join, secret, service, streamRoute } from "./objects.ts";
import { openRelay } from "./relay.ts";

const WEB_REQUEST = rawHead("GET / HTTP/1.1", "Host: web.test", "Connection: close");
const GREETING = "220 ready\r\n";

function portOf(server: Server): number {
  // a listening TCP server's address is never a string or null
  return (server.address() as AddressInfo).port;
}

describe("streams", () => {
  let running: RunningGateway | undefined;
  const closing: (() => void)[] = [];
  const sockets = new Set<Socket>();
  let [mixed, tcp, udp] = [0, 0, 0];
  let proxied = "";

  before(async () => {
    const authority = await createAuthority();
    const http = await RawUpstream.open(() => plain("terminated http"));
    closing.push(() => void http.close());
    // speaks first, then echoes; a PROXY header is noted
    const greeter = createTcpServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("data", (bytes: Buffer) => (proxied = bytes.toString("latin1")));
      socket.write(GREETING);
      socket.pipe(socket);
    });
    greeter.listen(0, "127.0.0.1");
    await once(greeter, "listening");
    closing.push(() => greeter.close());
    const inner = createServer(await authority.issue({ names: ["pass.test"] }), (socket) => {
      socket.on("error", () => undefined);
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npassed");
    });
    inner.listen(0, "127.0.0.1");
    await once(inner, "listening");
    closing.push(() => inner.close());
    const echo = createSocket("udp4");
    echo.on("message", (bytes, { port, address }) => echo.send(bytes, port, address));
    echo.bind(0, "127.0.0.1");
    await once(echo, "listening");
    closing.push(() => echo.close());
    const [first = 0, second = 0, third = 0] = await freePorts(3);
    [mixed, tcp, udp] = [first, second, third];
    running = await openGateway({
      "gateway.yaml": join([
        GATEWAY_CLASS,
        gateway([
          httpsListener("web", mixed, "web.test"),
          `{ name: pass, port: ${mixed}, protocol: TLS, hostname: pass.test, tls: { mode: Passthrough } }`,
          `{ name: mail, port: ${mixed}, protocol: TLS, hostname: "*.mail.test", tls: { certificateRefs: [{ name: mail }] } }`,
          `{ name: tcp, port: ${tcp}, protocol: TCP }`,
          `{ name: udp, port: ${udp}, protocol: UDP }`,
        ]),
        secret("web", await authority.issue({ names: ["web.test"] })),
        secret("mail", await authority.issue({ names: ["*.mail.test"] })),
        httpRoute("web", "web", "http"),
        streamRoute({ kind: "TLSRoute", name: "pass", listener: "pass", backend: "inner", hostnames: ["pass.test"] }),
        streamRoute({
          kind: "TLSRoute",
          name: "mail",
          listener: "mail",
          backend: "greeter",
          hostnames: ["a.mail.test"],
        }),
        streamRoute({ kind: "TCPRoute", name: "tcp", listener: "tcp", backend: "greeter" }),
        streamRoute({ kind: "UDPRoute", name: "udp", listener: "udp", backend: "echo" }),
        service("http", http.port),
        service("inner", portOf(inner)),
        service("greeter", portOf(greeter), { annotations: { "sallyport.io/proxy-protocol": "v1" } }),
        service("echo", echo.address().port, { protocol: "UDP" }),
      ]),
    });
  });

  after(async () => {
    await running?.stop();
    for (const socket of sockets) socket.destroy();
    for (const close of closing) close();
  });

  test("one port terminates for one name and passes on for another", async () => {
    const web = await askTls({ port: mixed, servername: "web.test" }, WEB_REQUEST);
    assert.match(web.answer, /terminated http$/);
    assert.equal(web.peer, "DNS:web.test");
    const pass = await askTls({ port: mixed, servername: "pass.test" });
    assert.match(pass.answer, /passed$/);
    assert.equal(pass.peer, "DNS:pass.test", "the backend's own certificate");
  });

  test("a terminated stream reaches a server that speaks first, with the client's address in front", async () => {
    const outcome = await askTls({ port: mixed, servername: "a.mail.test" }, "");
    assert.equal(outcome.peer, "DNS:*.mail.test");
    assert.ok(outcome.answer.startsWith(GREETING), outcome.answer);
    assert.match(proxied, /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n/);
  });

  test("a name of a TLS listener that no route has is closed without an alert", async () => {
    const relay = await openRelay(mixed);
    try {
      const outcome = await askTls({ port: relay.port, servername: "b.mail.test" });
      assert.equal(outcome.version, "");
      assert.equal(relay.received().length, 0);
    } finally {
      relay.close();
    }
  });

  test("TCP: the server speaks first, and each side may end before the other", async () => {
    const socket = connect({ port: tcp, host: "127.0.0.1", allowHalfOpen: true });
    let received = "";
    socket.on("data", (bytes: Buffer) => (received += bytes.toString("latin1")));
    await once(socket, "data");
    assert.ok(received.startsWith(GREETING));
    socket.end("last words");
    await once(socket, "end");
    assert.ok(received.endsWith("last words"), received);
    assert.match(proxied, /^PROXY TCP4 127\.0\.0\.1 /);
  });

  test("UDP: each client gets its own answers", async () => {
    const clients = ["one", "two", "three"].map((word) => ({ word, socket: createSocket("udp4") }));
    try {
      const answers = clients.map(async ({ word, socket }) => {
        socket.bind(0, "127.0.0.1");
        await once(socket, "listening");
        const answer = new Promise<string>((resolve) => {
          socket.on("message", (bytes: Buffer) => resolve(bytes.toString()));
        });
        socket.send(word, udp, "127.0.0.1");
        return answer;
      });
      assert.deepEqual(await Promise.all(answers), ["one", "two", "three"]);
    } finally {
      for (const { socket } of clients) socket.close();
    }
  });
});
