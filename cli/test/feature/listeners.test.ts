/** Listeners on the wire: isolation by host, HTTPS with a certificate from a Secret, port maps. */
import assert from "node:assert/strict";
import { connect } from "node:tls";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startProcess } from "@sallyport/testkit/process";
import { ask, freePort, gatewayYaml, openEcho, serveFiles, serviceYaml } from "./world.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

function routeTo(name: string, section: string, backend: string): string {
  return `---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name} }
spec:
  parentRefs: [{ name: edge, sectionName: ${section} }]
  rules: [{ backendRefs: [{ name: ${backend}, port: 80 }] }]
`;
}

test("a request belongs to the listener with the most specific host, and to no other", async (t) => {
  const [a, b, port] = await Promise.all([openEcho("a"), openEcho("b"), freePort()]);
  const listeners = [
    `{ name: any, protocol: HTTP, port: ${port} }`,
    `{ name: wild, protocol: HTTP, port: ${port}, hostname: "*.example.com" }`,
    `{ name: empty, protocol: HTTP, port: ${port}, hostname: "foo.example.com" }`,
  ];
  const yaml = [
    gatewayYaml(listeners),
    serviceYaml("a", a.port),
    serviceYaml("b", b.port),
    routeTo("any", "any", "a"),
    routeTo("wild", "wild", "b"),
  ];
  const served = await serveFiles({ "objects.yaml": yaml.join("") });
  t.after(async () => {
    await served.close();
    await Promise.all([a.close(), b.close()]);
  });
  const backendOf = async (host: string): Promise<string | number> => {
    const answer = await ask({ port, host, path: "/" });
    return answer.echo?.backend ?? answer.status;
  };
  assert.equal(await backendOf("other.test"), "a");
  assert.equal(await backendOf("example.com"), "a");
  assert.equal(await backendOf("bar.example.com"), "b");
  assert.equal(await backendOf("deep.bar.example.com:8080"), "b");
  assert.equal(await backendOf("foo.example.com"), 404);
});

test("an HTTPS listener serves the certificate of its Secret, and a mapped port is bound elsewhere", async (t) => {
  const [a, port] = await Promise.all([openEcho("a"), freePort()]);
  const certificate = startProcess(process.execPath, [MAIN, "dev-certificate", "--name", "tls", "secure.test"]);
  await certificate.signal.until(() => certificate.exit() !== undefined, 60_000);
  const listener = `{ name: https, protocol: HTTPS, port: 443, hostname: secure.test, tls: { certificateRefs: [{ name: tls }] } }`;
  const yaml = [gatewayYaml([listener]), serviceYaml("a", a.port), routeTo("all", "https", "a")].join("");
  const served = await serveFiles({ "objects.yaml": yaml, "tls.yaml": certificate.output() }, [
    "--port-map",
    `443=${port}`,
  ]);
  t.after(async () => {
    await served.close();
    await a.close();
  });
  const { subject, text } = await new Promise<{ subject: string; text: string }>((resolve, reject) => {
    let answer = "";
    const socket = connect({ port, host: "127.0.0.1", servername: "secure.test", rejectUnauthorized: false }, () => {
      socket.write("GET /x HTTP/1.1\r\nHost: secure.test\r\nConnection: close\r\n\r\n");
    });
    const subjectName = (): string => String(socket.getPeerCertificate().subject.CN);
    let name = "";
    socket.on("secureConnect", () => (name = subjectName()));
    socket.setEncoding("latin1").on("data", (piece: string) => (answer += piece));
    socket.on("end", () => resolve({ subject: name, text: answer }));
    socket.on("error", reject);
  });
  assert.equal(subject, "secure.test");
  assert.match(text, /^HTTP\/1\.1 200 /);
  assert.match(text, /"x-forwarded-proto":"https"/);
});
