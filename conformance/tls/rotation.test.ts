// Certificates that change under load: 20 times a second, and not one request or handshake is lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { connect, type TLSSocket } from "node:tls";
import { createAuthority } from "@sallyport/testkit/certs";
import { freePorts } from "@sallyport/testkit/process";
import { RawUpstream } from "@sallyport/testkit/raw-upstream";
import { plain, settles } from "../faults/asking.ts";
import { head } from "../protocol/case.ts";
import { askTls } from "./client.ts";
import { openGateway } from "./gateway.ts";
import { GATEWAY_CLASS, gateway, httpRoute, httpsListener, join, secret, service } from "./objects.ts";

const ROTATIONS = 100;
/** Milliseconds: 20 a second. */
const PAUSE = 50;

interface Asking {
  readonly onAnswer: () => void;
  readonly isOver: () => boolean;
}

/** Asks on one connection again and again, and says of each answer that it came; throws with what ended it. */
async function askOn(socket: TLSSocket, { onAnswer, isOver }: Asking): Promise<void> {
  let failure = "";
  let wake = (): void => undefined;
  socket.on("data", (bytes: Buffer) => {
    if (bytes.toString("latin1").startsWith("HTTP/1.1 200")) onAnswer();
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
}

for (const workers of [1, 2]) {
  test(`a certificate that changes 20 times a second costs nobody anything (${workers} workers)`, async () => {
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
      const answers = Array.from({ length: 8 }, () => 0);
      const kept = answers.map((_, at) =>
        askOn(connect(options), { onAnswer: () => answers[at]!++, isOver: () => isOver }),
      );
      const seen = new Set<string>();
      const fresh = Array.from({ length: 2 }, async () => {
        while (!isOver) {
          const outcome = await askTls({ ...options, rejectUnauthorized: true });
          assert.equal(outcome.status, 200, outcome.error);
          seen.add(outcome.peer);
        }
      });
      const isEnough = (): boolean => Math.min(...answers) > ROTATIONS && seen.size > ROTATIONS / 10;
      // A machine that does other things needs more rotations to have served as much meanwhile.
      let rotation = 0;
      for (; rotation < ROTATIONS || !isEnough(); rotation++) {
        running.directory.write("secret.yaml", secret("server", leaves[rotation % ROTATIONS]!));
        await setTimeout(PAUSE);
      }
      await assertServes(port, names[(rotation - 1) % ROTATIONS]!);
      isOver = true;
      await Promise.all([...kept, ...fresh]);
    } finally {
      await running.stop();
      await upstream.close();
    }
  });
}

/** The last certificate is served in the end, and by every worker. */
async function assertServes(port: number, name: string): Promise<void> {
  const serves = async (): Promise<void> => {
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => askTls({ port, servername: "a.test" })));
    for (const { peer } of outcomes) assert.ok(peer.startsWith(`DNS:${name},`), peer);
  };
  await settles(serves, { within: 60_000, what: `the certificate of ${name}` });
}
