import assert from "node:assert/strict";
import { test } from "node:test";
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
  } as const;
  assert.equal(peer?.name, "mine");
  assert.deepEqual(peer?.launch(setup), {
    command: "node",
    args: ["proxy.js", "--listen", "81", "--to", "127.0.0.1:82"],
  });
});

test("a text without a name, a command or a port to listen on is no peer", () => {
  for (const text of ["", "mine", "=node {port}", "mine=", "mine=node proxy.js"])
    assert.equal(parseCustomPeer(text), undefined);
});
