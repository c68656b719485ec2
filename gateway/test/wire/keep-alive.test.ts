/** Keep-alive of sockets to endpoints, as the kernel shows its timers. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { Inlet } from "../../src/wire/inlet.ts";
import { connectUpstream } from "../../src/wire/upstream-socket.ts";

/** `tr` of /proc/net/tcp where SO_KEEPALIVE is set (proc(5), include/net/tcp_states.h). */
const KEEP_ALIVE_TIMER = "02";

/** The timer that runs for the connection from this local port, and its hundredths of a second. */
function findTimer(localPort: number): { timer: string; centiseconds: number } | undefined {
  const port = localPort.toString(16).toUpperCase().padStart(4, "0");
  for (const line of readFileSync("/proc/net/tcp", "utf8").split("\n")) {
    const [, local = "", , , , running = ""] = line.trim().split(/\s+/);
    const [timer = "", expires = ""] = running.split(":");
    if (local.endsWith(`:${port}`)) return { timer, centiseconds: Number.parseInt(expires, 16) };
  }
  return undefined;
}

for (const tcpKeepAlive of [undefined, 30_000]) {
  test(
    tcpKeepAlive === undefined
      ? "sockets have no keep-alive unless the pool says so"
      : "sockets have the keep-alive of the pool",
    { skip: process.platform !== "linux" && "timers of sockets are in /proc of Linux" },
    async (t) => {
      const server = createServer();
      server.listen(0, "127.0.0.1");
      const accepted = once(server, "connection");
      await once(server, "listening");
      const endpoint = { address: "127.0.0.1", port: (server.address() as AddressInfo).port, label: "127.0.0.1" };
      const inlet = new Inlet();
      const log = { warn: () => undefined };
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const { socket } = connectUpstream(
        { cluster: "ns/web:80", endpoint, tls: undefined, tcpKeepAlive, applicationProtocols: [], log },
        inlet,
        { onUp: resolve, onUpFailed: (reason) => reject(new Error(reason)) },
      );
      const [peer] = (await accepted) as [Socket];
      await promise;
      t.after(() => {
        socket.destroy();
        peer.destroy();
        inlet.close();
        server.close();
      });
      const found = findTimer(socket.localPort ?? 0);
      assert.ok(found !== undefined);
      if (tcpKeepAlive === undefined) assert.notEqual(found.timer, KEEP_ALIVE_TIMER);
      else {
        assert.equal(found.timer, KEEP_ALIVE_TIMER);
        assert.ok(found.centiseconds > 2000 && found.centiseconds <= 3000, `${found.centiseconds}`);
      }
    },
  );
}
