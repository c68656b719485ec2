/** Sessions over real worker threads: whichever of them a client comes to resumes what another began. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { connect as connectHttp2 } from "node:http2";
import { connect, type ConnectionOptions } from "node:tls";
import type { Listener } from "@sallyport/model/listener";
import { toSnapshot } from "@sallyport/model/snapshot";
import { createAuthority } from "@sallyport/testkit/certs";
import { Rig } from "../workers/rig.ts";
import { toListener, toTestSnapshot } from "../workers/snapshots.ts";
import { connectTls, earnSession } from "./front.ts";

test("a session begun by one worker is resumed by all, again and again", async (t) => {
  await using rig = await Rig.start({ workers: 2 });
  // earnSession() expects answers that end like this
  rig.backend.removeAllListeners("request");
  rig.backend.on("request", (_request, response: { end(text: string): void }) => response.end("ok"));
  const { cert, key } = await (await createAuthority()).issue({ names: ["a.test"] });
  const tls = { certificates: ["default/cert"] };
  const listener: Listener = { ...toListener("https", 0), protocol: "https", tls };
  const { resources } = toTestSnapshot({ backends: [rig.backendPort], listeners: [listener] });
  const secret = { kind: "secret", key: "default/cert", certificateChain: cert, privateKey: key } as const;
  const result = await rig.gateway.apply(toSnapshot([...resources.values(), secret]));
  assert.deepEqual(result.problems, []);
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const options = { servername: "a.test", minVersion: version, maxVersion: version } as const;
    const session = await earnSession(t, rig.port, options);
    // by the kernel's choice: that one worker got all of these is as likely as a coin that falls 20 times on one side
    for (let i = 0; i < 20; i++) {
      const socket = await connectTls(t, rig.port, { ...options, session });
      assert.ok(socket.isSessionReused(), `${version}, connection ${i}`);
      socket.destroy();
      assert.equal(await askHttp2(t, rig.port, { ...options, session }), 200, `${version}, HTTP/2, connection ${i}`);
    }
  }
  const fresh = connect({ port: rig.port, host: "127.0.0.1", servername: "a.test", rejectUnauthorized: false });
  await once(fresh, "secureConnect");
  assert.equal(fresh.isSessionReused(), false);
  fresh.destroy();
});

/** The status of a request of HTTP/2 on a session that was begun without it. */
async function askHttp2(t: TestContext, port: number, options: ConnectionOptions): Promise<unknown> {
  const socket = await connectTls(t, port, { ...options, ALPNProtocols: ["h2"] });
  assert.ok(socket.isSessionReused());
  const client = connectHttp2("https://a.test", { createConnection: () => socket });
  const stream = client.request({ ":path": "/a" });
  const [head] = (await once(stream, "response")) as [{ readonly ":status": number }];
  stream.resume();
  await once(stream, "close");
  client.destroy();
  return head[":status"];
}
