import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { replaceFile, writeObjects } from "./sallyport-objects.ts";

function everything(directory: string): string {
  return readdirSync(directory)
    .map((name) => readFileSync(`${directory}/${name}`, "utf8"))
    .join("---\n");
}

test("one route serves everything on the listener's port to the backend", () => {
  using directory = openTemporaryDirectory();
  writeObjects(directory.path, { port: 8081, backendPort: 9001, routes: "one" });
  const text = everything(directory.path);
  assert.equal(text.match(/^kind: HTTPRoute$/gm)?.length, 1);
  assert.match(text, /port: 8081\n {6}protocol: HTTP/);
  assert.match(text, /sallyport\.io\/endpoints: "127\.0\.0\.1:9001"/);
  assert.doesNotMatch(text, /hostnames/);
});

test("many routes are ten thousand with different names over a thousand hosts", () => {
  using directory = openTemporaryDirectory();
  writeObjects(directory.path, { port: 8081, backendPort: 9001, routes: "many" });
  const text = everything(directory.path);
  assert.equal(new Set(text.match(/^ {2}name: route-\d+-\d+$/gm)).size, 10_000);
  assert.equal(new Set(text.match(/^ {4}- host-\d+\.bench\.example\.test$/gm)).size, 1000);
});

test("a TLS listener refers to a Secret with the certificate and the key of the files", () => {
  using directory = openTemporaryDirectory({ "cert.pem": "CERT", "key.pem": "KEY" });
  const certificate = { cert: directory.file("cert.pem"), key: directory.file("key.pem"), pair: "" };
  const objects = directory.file("objects");
  writeObjects(objects, { port: 8443, backendPort: 9001, routes: "one", front: "https", certificate });
  const text = everything(objects);
  assert.match(text, /port: 8443\n {6}protocol: HTTPS\n {6}tls:\n {8}certificateRefs:\n {10}- name: bench\n/);
  assert.match(text, /tls\.crt: Q0VSVA==\n {2}tls\.key: S0VZ\n/);
  assert.throws(() => writeObjects(objects, { port: 1, backendPort: 2, routes: "one", front: "https" }), /certificate/);
});

test("gRPC has a GRPCRoute, and a Service that is spoken to in HTTP/2 by prior knowledge", () => {
  using directory = openTemporaryDirectory();
  writeObjects(directory.path, { port: 8081, backendPort: 9001, routes: "one", front: "grpc" });
  const text = everything(directory.path);
  assert.match(text, /port: 8081\n {6}protocol: HTTP\n/);
  assert.match(text, /^kind: GRPCRoute$/m);
  assert.match(text, /port: 80\n {6}protocol: TCP\n {6}appProtocol: kubernetes\.io\/h2c\n/);
});

test("TCP and UDP have a route and a Service port of their own kind", () => {
  for (const [front, kind] of [
    ["tcp", "TCPRoute"],
    ["udp", "UDPRoute"],
  ] as const) {
    using directory = openTemporaryDirectory();
    writeObjects(directory.path, { port: 53, backendPort: 9001, routes: "one", front });
    const text = everything(directory.path);
    const protocol = front.toUpperCase();
    assert.match(text, new RegExp(`port: 53\n {6}protocol: ${protocol}\n`));
    assert.match(text, new RegExp(`^kind: ${kind}$`, "m"));
    assert.match(text, new RegExp(`port: 80\n {6}protocol: ${protocol}\n`));
  }
});

test("a file is replaced by one with the new objects, and nothing else is left in the directory", () => {
  using directory = openTemporaryDirectory({ "route.yaml": "old" });
  replaceFile(directory.path, "route.yaml", ["kind: A\n", "kind: B\n"]);
  assert.equal(readFileSync(directory.file("route.yaml"), "utf8"), "kind: A\n---\nkind: B\n");
  assert.deepEqual(readdirSync(directory.path), ["route.yaml"]);
});
