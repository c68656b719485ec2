/** The example of TLS, TCP, UDP and Ingress: its files are clean, and what it prints for trying out does what it says. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { connect as connectTcp, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { fileURLToPath } from "node:url";
import { eventually } from "@sallyport/testkit/eventually";
import { freePorts, type RunningProcess, startProcess } from "@sallyport/testkit/process";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { ask, type ServedDirectory, serveFiles } from "./world.ts";

const EXAMPLE = new URL("../../../examples/connections/", import.meta.url);
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const BACKENDS = [9200, 9201, 9202, 9203];

describe("the example of connections", () => {
  const made = openTemporaryDirectory();
  let [tls, echo, http, https] = [0, 0, 0, 0];
  let backends: RunningProcess | undefined;
  let served: ServedDirectory | undefined;

  before(async () => {
    await runToEnd([fileURLToPath(new URL("certificates.ts", EXAMPLE)), made.path]);
    const ports = await freePorts(BACKENDS.length + 4);
    [tls = 0, echo = 0, http = 0, https = 0] = ports.slice(BACKENDS.length);
    const certificate = made.file("certificates/backend");
    backends = startProcess(process.execPath, [
      fileURLToPath(new URL("backends.ts", EXAMPLE)),
      certificate,
      ...ports.slice(0, BACKENDS.length).map(String),
    ]);
    const map = [`8443=${tls}`, `8007=${echo}`, `80=${http}`, `443=${https}`];
    served = await serveFiles(
      readExample(made.path, ports),
      map.flatMap((pair) => ["--port-map", pair]),
    );
    await eventually(async () => (await ask({ port: http, host: "ingress.localhost", path: "/" })).status === 200, {
      what: "the backends",
    });
  });

  after(async () => {
    await served?.close();
    await backends?.stop();
    made.close();
  });

  /** A secure connection of a client that trusts one of the authorities, with the certificate for clients or without. */
  const secure = async (
    port: number,
    servername: string,
    trust: "edge" | "backend",
    own?: "client",
  ): Promise<Socket> => {
    const pem = (name: string): string => readFileSync(made.file(`certificates/${name}`), "utf8");
    const identity = own && { cert: pem(`${own}/tls.crt`), key: pem(`${own}/tls.key`) };
    const socket = connectTls({ port, host: "127.0.0.1", servername, ca: pem(`${trust}/ca.crt`), ...identity });
    await once(socket, "secureConnect");
    return socket;
  };

  test("has no problems", async () => {
    assert.match(await runToEnd([MAIN, "check", served?.directory.path ?? ""]), /no problems/);
  });

  test("the shop takes clients with a certificate, and hears of it over TLS", async () => {
    const answer = await request(await secure(tls, "shop.localhost", "edge", "client"), "shop.localhost");
    assert.match(answer, /"x-forwarded-client-cert": "Hash=.*DNS=client\.localhost"/);
  });

  test("the shop takes nobody else", async () => {
    const asked = secure(tls, "shop.localhost", "edge").then((socket) => request(socket, "shop.localhost"));
    await assert.rejects(asked, /certificate required/);
  });

  test("TLS that is passed through ends at the backend, which sees the client's request as it was", async () => {
    const answer = await request(await secure(tls, "pass.localhost", "backend"), "pass.localhost");
    assert.match(answer, /"host": "pass\.localhost"/);
    assert.doesNotMatch(answer, /x-forwarded-for/);
  });

  test("decrypted bytes, bytes and datagrams come back", async () => {
    assert.equal(await echoed(await secure(tls, "lines.localhost", "edge", "client"), "decrypted"), "decrypted");
    assert.equal(await echoed(connectTcp(echo, "127.0.0.1"), "bytes"), "bytes");
    assert.equal(await echoedDatagram(echo, "datagram"), "datagram");
  });

  test("the Ingress answers on ports of its own, in the clear and over TLS", async () => {
    const plain = await ask({ port: http, host: "ingress.localhost", path: "/" });
    assert.match(plain.text, /"x-forwarded-proto": "http"/);
    const answer = await request(await secure(https, "ingress.localhost", "edge"), "ingress.localhost");
    assert.match(answer, /"x-forwarded-proto": "https"/);
  });
});

/** The example's files with certificates, and with backends on these ports. */
function readExample(certificates: string, ports: readonly number[]): Record<string, string> {
  const files: Record<string, string> = {};
  for (const name of readdirSync(EXAMPLE).filter((file) => file.endsWith(".yaml"))) {
    let text = readFileSync(new URL(name, EXAMPLE), "utf8");
    for (const [index, port] of BACKENDS.entries()) text = text.replaceAll(`:${port}"`, `:${ports[index]}"`);
    files[name] = text;
  }
  // what may be there from a start by hand is not of this test's authorities
  files["certificates.yaml"] = readFileSync(join(certificates, "certificates.yaml"), "utf8");
  return files;
}

async function runToEnd(args: readonly string[]): Promise<string> {
  const child = startProcess(process.execPath, args);
  await child.signal.until(() => child.exit() !== undefined, 60_000);
  assert.equal(child.exit(), 0, child.output());
  return child.output();
}

async function request(socket: Socket, host: string): Promise<string> {
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  let text = "";
  for await (const bytes of socket) text += String(bytes);
  return text;
}

async function echoed(socket: Socket, text: string): Promise<string> {
  socket.end(text);
  let back = "";
  for await (const bytes of socket) back += String(bytes);
  return back;
}

async function echoedDatagram(port: number, text: string): Promise<string> {
  const socket = createSocket("udp4");
  try {
    const answer = once(socket, "message") as Promise<[Buffer]>;
    socket.send(text, port, "127.0.0.1");
    const [bytes] = await answer;
    return bytes.toString("utf8");
  } finally {
    socket.close();
  }
}
