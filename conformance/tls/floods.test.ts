// Clients that hold on to what they have been given: others are served meanwhile, and the idle ones do not stay.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { connect, type Socket } from "node:net";
import { promisify } from "node:util";
import { freePorts } from "@sallyport/testkit/process";
import { RawUpstream } from "@sallyport/testkit/raw-upstream";
import { plain, settles } from "../faults/asking.ts";
import { askTls } from "./client.ts";
import { openGateway, type RunningGateway } from "./gateway.ts";
import { issuePair, tlsObjects } from "./objects.ts";

const run = promisify(execFile);
const FLOOD = 1500;
/** Seconds of each slowhttptest. */
const SLOW = 8;

/** The beginning of a ClientHello record that is never finished. */
const HALF_HELLO = Buffer.from("16030102000100", "hex");

describe("floods of TLS clients", () => {
  let running: RunningGateway | undefined;
  let upstream: RawUpstream | undefined;
  let port = 0;

  before(async () => {
    upstream = await RawUpstream.open(() => plain());
    [port = 0] = await freePorts(1);
    const pair = await issuePair(["ecdsa"], ["a.test"]);
    running = await openGateway({ "gateway.yaml": tlsObjects({ port, backend: upstream.port, pair }) });
  });

  after(async () => {
    await running?.stop();
    await upstream?.close();
  });

  /** Asks again and again until told to stop; every answer must be a 200. */
  async function serveOthers(isOver: () => boolean): Promise<number> {
    let answers = 0;
    while (!isOver()) {
      upstream?.begin(() => plain());
      const outcome = await askTls({ port, servername: "a.test" });
      assert.equal(outcome.status, 200, outcome.error);
      answers++;
    }
    return answers;
  }

  for (const [what, first] of [
    ["say nothing", Buffer.alloc(0)],
    ["stop in the middle of their first message", HALF_HELLO],
  ] as const) {
    test(`clients that ${what} hurt nobody and are let go`, async () => {
      const flood = new Set<Socket>();
      for (let count = 0; count < FLOOD; count++) {
        const socket = connect({ port, host: "127.0.0.1" });
        flood.add(socket);
        socket.on("error", () => undefined);
        socket.on("close", () => flood.delete(socket));
        // reads the end that the gateway makes
        socket.resume();
        if (first.length > 0) socket.write(first);
      }
      try {
        let isOver = false;
        const others = serveOthers(() => isOver);
        await settles(() => assert.equal(flood.size, 0), { within: 100_000 });
        isOver = true;
        assert.ok((await others) > 10);
      } finally {
        for (const socket of flood) socket.destroy();
      }
    });
  }

  for (const [what, mode] of [
    ["headers", ["-H", "-i", "2"]],
    ["bodies", ["-B", "-i", "2", "-s", "8192"]],
    ["reads", ["-X", "-w", "10", "-y", "20", "-n", "5", "-z", "32"]],
  ] as const) {
    test(`slowhttptest with slow ${what} hurts nobody`, async () => {
      let isOver = false;
      const others = serveOthers(() => isOver);
      const size = ["-c", "400", "-r", "200", "-l", String(SLOW), "-p", "3"];
      await run("slowhttptest", [...mode, ...size, "-u", `https://127.0.0.1:${port}/`]).catch((error: unknown) => {
        throw new Error("this test needs slowhttptest (on Debian the package of that name)", { cause: error });
      });
      isOver = true;
      assert.ok((await others) > 5);
    });
  }
});
