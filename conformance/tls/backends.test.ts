// TLS to backends: what must be proven before a request leaves, and that nothing ever leaves in the clear instead.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { createServer, type TlsOptions, type TLSSocket } from "node:tls";
import { type CertificateAuthority, createAuthority } from "@sallyport/testkit/certs";
import { freePorts } from "@sallyport/testkit/process";
import { ask } from "../faults/asking.ts";
import { openGateway, type RunningGateway } from "./gateway.ts";
import {
  authority as authorityObject,
  backendTlsPolicy,
  GATEWAY_CLASS,
  gateway,
  httpRoute,
  join,
  secret,
  service,
} from "./objects.ts";

const YEAR = 365 * 86_400_000;
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A backend over TLS and what it saw. */
interface Backend extends AsyncDisposable {
  readonly port: number;
  /** Requests, in the clear. */
  readonly requests: string[];
  readonly sockets: TLSSocket[];
}

async function openBackend(options: TlsOptions): Promise<Backend> {
  const requests: string[] = [];
  const sockets: TLSSocket[] = [];
  const server = createServer(options, (socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) => {
      requests.push(bytes.toString("latin1"));
      socket.write(OK);
    });
  });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // a listening TCP server's address is never a string or null
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  };
  return { port, requests, sockets, [Symbol.asyncDispose]: close };
}

describe("TLS to backends", () => {
  let authority: CertificateAuthority;
  let other: CertificateAuthority;
  let running: RunningGateway | undefined;
  let port = 0;

  before(async () => {
    authority = await createAuthority("backends");
    other = await createAuthority("backends");
    [port = 0] = await freePorts(1);
    const client = await authority.issue({ names: ["gateway.test"], usage: "client" });
    running = await openGateway({
      "gateway.yaml": join([
        GATEWAY_CLASS,
        gateway([`{ name: http, port: ${port}, protocol: HTTP }`], {
          spec: "  tls: { backend: { clientCertificateRef: { name: client } } }",
        }),
        httpRoute("all", "http", "backend"),
        secret("client", client),
      ]),
      "backend.yaml": "",
    });
  });

  after(async () => {
    await running?.stop();
  });

  /** Points the route at a backend that must prove `name` under an authority; "" is no policy at all. */
  async function lead(backend: number, name: string, trusted = authority.cert, configMap = "ca"): Promise<void> {
    const objects = [service("backend", backend), authorityObject("ca", trusted)];
    if (name !== "") objects.push(backendTlsPolicy("policy", "backend", name, configMap));
    await running?.change({ "backend.yaml": join(objects) });
  }

  test("a backend that proves its name gets requests, with that name as SNI", async () => {
    await using backend = await openBackend(await authority.issue({ names: ["backend.test"] }));
    await lead(backend.port, "backend.test");
    assert.equal((await ask(port)).status, 200);
    assert.equal(backend.sockets[0]?.servername, "backend.test");
  });

  for (const [what, make] of [
    ["another name", () => authority.issue({ names: ["other.test"] })],
    ["no name at all", () => authority.issue({ names: [], commonName: "backend.test" })],
    ["another authority", () => other.issue({ names: ["backend.test"] })],
    [
      "a certificate that has expired",
      () =>
        authority.issue({
          names: ["backend.test"],
          notBefore: new Date(Date.now() - 2 * YEAR),
          notAfter: new Date(Date.now() - YEAR),
        }),
    ],
    ["a certificate for clients", () => authority.issue({ names: ["backend.test"], usage: "client" })],
  ] as const) {
    test(`a backend with ${what} gets nothing, and clients a 503`, async () => {
      await using backend = await openBackend(await make());
      await lead(backend.port, "backend.test");
      const outcome = await ask(port);
      assert.equal(outcome.status, 503);
      assert.deepEqual(backend.requests, []);
    });
  }

  test("after a good backend has answered, its session does not vouch for one that proves nothing", async () => {
    const good = await authority.issue({ names: ["backend.test"] });
    await using backend = await openBackend({ ...good, ticketKeys: Buffer.alloc(48, 1) });
    await lead(backend.port, "backend.test");
    assert.equal((await ask(port)).status, 200);
    // another name must be proven from now on, by the same server, which would resume the session
    await lead(backend.port, "elsewhere.test");
    assert.equal((await ask(port)).status, 503);
    await lead(backend.port, "backend.test", other.cert);
    assert.equal((await ask(port)).status, 503);
    await lead(backend.port, "backend.test");
    assert.equal((await ask(port)).status, 200);
  });

  test("a backend that asks for a certificate is shown the Gateway's", async () => {
    const leaf = await authority.issue({ names: ["backend.test"] });
    await using backend = await openBackend({
      ...leaf,
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: true,
    });
    await lead(backend.port, "backend.test");
    assert.equal((await ask(port)).status, 200);
    assert.equal(backend.sockets[0]?.getPeerCertificate().subjectaltname, "DNS:gateway.test");
  });

  test("a policy that cannot be kept closes the backend: not a byte leaves in the clear", async () => {
    const received: string[] = [];
    const server = createTcpServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (bytes: Buffer) => {
        received.push(bytes.toString("latin1"));
        socket.end(OK);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port: plainPort } = server.address() as AddressInfo;
    try {
      for (const [name, trusted, configMap] of [
        ["backend.test", authority.cert, "absent"],
        ["backend.test", "not a certificate", "ca"],
        ["backend.test", authority.cert, "ca"],
      ] as const) {
        await lead(plainPort, "");
        assert.equal((await ask(port)).status, 200, "without a policy it is spoken to in the clear");
        received.length = 0;
        await lead(plainPort, name, trusted, configMap);
        const { status } = await ask(port);
        assert.ok(status >= 500 && status <= 503, String(status));
        for (const text of received) assert.equal(text.charCodeAt(0), 0x16, "only a ClientHello may leave");
      }
    } finally {
      server.close();
    }
  });
});
