/** Real servers for health checks, and checks of them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import type { TestContext } from "node:test";
import { DEFAULT_HTTP2_CLIENT_OPTIONS } from "@sallyport/model/cluster";
import type { HealthProbe } from "@sallyport/model/traffic";
import type { ProbeOptions, ProbeResult } from "../../src/cluster/health/contract.ts";
import { toOpenProbe } from "../../src/probe/open.ts";
import { openClocks } from "../../src/time/ticker.ts";

/** As users write it, with the defaults. */
export const HTTP = {
  kind: "http",
  method: "GET",
  path: "/healthz",
  statuses: [{ from: 200, to: 299 }],
} as const satisfies HealthProbe;
export const GRPC = { kind: "grpc", service: "" } as const satisfies HealthProbe;
export const TCP = { kind: "tcp" } as const satisfies HealthProbe;
/** Milliseconds; enough for anything that is not to run out of time. */
export const PATIENCE = 5_000;

/** Listens until the test is over; its port. Open connections end with it. */
export async function listen(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Does one check. */
export async function check(
  t: TestContext,
  options: Partial<ProbeOptions> & Pick<ProbeOptions, "port" | "probe">,
): Promise<ProbeResult> {
  const clocks = openClocks();
  // the wheels keep no process alive
  const alive = setTimeout(() => undefined, 60_000);
  t.after(() => {
    clearTimeout(alive);
    clocks.coarse.stop();
    clocks.fine.stop();
  });
  const bugs: unknown[] = [];
  const log = { error: (...bug: unknown[]) => void bugs.push(bug), warn: () => undefined };
  const open = toOpenProbe({ clocks, log });
  const result = await new Promise<ProbeResult>((resolve, reject) => {
    let hasReturned = false;
    open(
      {
        cluster: "default/web:80",
        address: "127.0.0.1",
        tls: undefined,
        protocol: "http1",
        http2: DEFAULT_HTTP2_CLIENT_OPTIONS,
        proxyProtocol: undefined,
        timeout: PATIENCE,
        ...options,
      },
      (outcome) => (hasReturned ? resolve(outcome) : reject(new Error("done before it was begun"))),
    );
    hasReturned = true;
  });
  assert.deepEqual(bugs, []);
  return result;
}
