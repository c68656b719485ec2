// Renegotiation is refused: it has been the way of attacks from injection (CVE-2009-3555) to floods (CVE-2011-1473).
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { connect } from "node:tls";
import { freePorts } from "@sallyport/testkit/process";
import { RawUpstream } from "@sallyport/testkit/raw-upstream";
import { plain } from "../faults/asking.ts";
import { askTls } from "./client.ts";
import { openGateway } from "./gateway.ts";
import { issuePair, tlsObjects } from "./objects.ts";

test("a client that renegotiates gets no second handshake, and others are served", async () => {
  const upstream = await RawUpstream.open(() => plain());
  const [port = 0] = await freePorts(1);
  const pair = await issuePair(["ecdsa"], ["a.test"]);
  const running = await openGateway({ "gateway.yaml": tlsObjects({ port, backend: upstream.port, pair }) });
  try {
    const options = { port, host: "127.0.0.1", servername: "a.test", rejectUnauthorized: false } as const;
    const socket = connect({ ...options, maxVersion: "TLSv1.2" });
    await once(socket, "secureConnect");
    const refused = new Promise<boolean>((resolve) => {
      // our alert no_renegotiation (RFC 5246 section 7.2.2), which ends the client's handshake
      socket.on("error", (error: Error) => resolve(error.message.includes("renegotiation")));
      socket.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error !== null));
    });
    assert.equal(await refused, true);
    socket.destroy();
    assert.equal((await askTls({ port, servername: "a.test" })).status, 200);
  } finally {
    await running.stop();
    await upstream.close();
  }
});
