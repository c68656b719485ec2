// Certificates that change under load: 20 times a second, and not one request or handshake is lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { connect, type TLSSocket } from "node:tls";
import { createAuthority } from "@sallyport/testkit/certs";
import { freePorts } from "@sallyport/testkit/process";
import { RawUpstream } from "@sallyport/testkit/raw-upstream";
import { plain } from "../faults/asking.ts";
import { head } from "../protocol/case.ts";
import { askTls } from "./client.ts";
import { openGateway } from "./gateway.ts";
import { GATEWAY_CLASS, gateway, httpRoute, httpsListener, join, secret, service } from "./objects.ts";

const ROTATIONS = 100;
/** Milliseconds: 20 a second. */
const PAUSE = 50;

/** Asks on one connection again and again; returns how many answers came, or throws with what ended it. */
async function askOn(socket: TLSSocket, isOver: () => boolean): Promise<number> {
  let answers = 0;
  let failure = "";
  let wake = (): void => undefined;
  socket.on("data", (bytes: Buffer) => {
    if (bytes.toString("latin1").startsWith("HTTP/1.1 200")) answers++;
    else failure = bytes.toString("latin1");
    wake();
  });
  socket.on("error", (error) => (failure = String(error)));
  socket.on("close", () => {
    failure ||= "closed";
    wake();
  });
  while (!isOver() && failure === "") {
    const answered = new Promise<void>((resolve) => {
      wake = resolve;
    });
    socket.write(head("GET / HTTP/1.1"));
    await answered;
  }
  assert.equal(failure, "");
  socket.destroy();
  return answers;
}

for (const workers of [1, 2]) {
  test(
    `a certificate that changes 20 times a second costs nobody anything (${workers} workers)`,
    { timeout: 60_000 },
    async () => {
      const authority = await createAuthority();
      const upstream = await RawUpstream.open(() => plain());
      const [port = 0] = await freePorts(1);
      const running = await openGateway(
        {
          "gateway.yaml": join([
            GATEWAY_CLASS,
            gateway([httpsListener("server", port)]),
            httpRoute("all", "server", "backend"),
            service("backend", upstream.port),
          ]),
          "secret.yaml": secret("server", await authority.issue({ names: ["v0.test", "a.test"] })),
        },
        { workers },
      );
      try {
        const names = Array.from({ length: ROTATIONS }, (_, index) => `v${index + 1}.test`);
        const leaves = await Promise.all(names.map((name) => authority.issue({ names: [name, "a.test"] })));
        let isOver = false;
        const options = { port, host: "127.0.0.1", servername: "a.test", ca: authority.cert } as const;
        const kept = Array.from({ length: 8 }, () => askOn(connect(options), () => isOver));
        const fresh = Array.from({ length: 2 }, async () => {
          const peers = new Set<string>();
          while (!isOver) {
            const outcome = await askTls({ ...options, rejectUnauthorized: true });
            assert.equal(outcome.status, 200, outcome.error);
            peers.add(outcome.peer);
          }
          return peers;
        });
        for (const leaf of leaves) {
          running.directory.write("secret.yaml", secret("server", leaf));
          await setTimeout(PAUSE);
        }
        await assertServes(port, names.at(-1) ?? "");
        isOver = true;
        for (const answers of await Promise.all(kept)) assert.ok(answers > ROTATIONS, String(answers));
        const seen = new Set((await Promise.all(fresh)).flatMap((peers) => [...peers]));
        assert.ok(seen.size > ROTATIONS / 10, `${seen.size} certificates were seen`);
      } finally {
        await running.stop();
        await upstream.close();
      }
    },
  );
}

/** The last certificate is served in the end, and by every worker. */
async function assertServes(port: number, name: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  let peers: readonly string[] = [];
  do {
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => askTls({ port, servername: "a.test" })));
    peers = outcomes.map(({ peer }) => peer);
  } while (!peers.every((peer) => peer.startsWith(`DNS:${name},`)) && Date.now() < deadline);
  for (const peer of peers) assert.ok(peer.startsWith(`DNS:${name},`), peer);
}
