import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { parseCustomPeer } from "./custom.ts";

test("a custom peer is started with the ports in place of their names", () => {
  const peer = parseCustomPeer("mine=node proxy.js --listen {port} --to 127.0.0.1:{backend}");
  const setup = {
    directory: "/",
    front: "http",
    certificate: { cert: "", key: "", pair: "" },
    port: 81,
    backendPort: 82,
    sparePorts: [83, 84],
    accessLog: "off",
    routes: "one",
    policies: "off",
  } as const;
  assert.equal(peer?.name, "mine");
  assert.deepEqual(peer?.launch(setup), {
    command: "node",
    args: ["proxy.js", "--listen", "81", "--to", "127.0.0.1:82"],
  });
});

test("a custom peer with a directory of objects serves every front, and finds them there", () => {
  using directory = openTemporaryDirectory({ "cert.pem": "C", "key.pem": "K" });
  const [cert, key] = [directory.file("cert.pem"), directory.file("key.pem")];
  const peer = parseCustomPeer("before=node sallyport.mjs run {objects} --admin 127.0.0.1:{admin}");
  assert.deepEqual(peer?.fronts, ["http", "https", "h2", "h2c", "grpc", "tcp", "udp"]);
  const launch = peer?.launch({
    directory: directory.path,
    front: "https",
    port: 81,
    backendPort: 82,
    sparePorts: [83, 84],
    certificate: { cert, key, pair: "" },
    accessLog: "off",
    routes: "one",
    policies: "off",
  });
  assert.deepEqual(launch?.args.slice(1), ["run", directory.file("objects"), "--admin", "127.0.0.1:83"]);
  assert.match(readFileSync(directory.file("objects/gateway.yaml"), "utf8"), /port: 81\n {6}protocol: HTTPS/);
});

test("a text without a name, a command or a port to listen on is no peer", () => {
  for (const text of ["", "mine", "=node {port}", "mine=", "mine=node proxy.js"])
    assert.equal(parseCustomPeer(text), undefined);
});
