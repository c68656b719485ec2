// Servers and connections that go away under load: no call is lost.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { freePorts } from "@sallyport/testkit/process";
import { openGateway } from "../tls/gateway.ts";
import { GATEWAY_CLASS, gateway, join, service } from "../tls/objects.ts";
import { settles } from "../faults/asking.ts";
import { readMetric } from "../faults/edge.ts";
import { type GrpcServer, makeCalls, MAKERS, openServer, startLoad } from "./peers.ts";
import { grpcRoute, orderOf } from "./rig.ts";

interface Fleet extends AsyncDisposable {
  readonly port: number;
  readonly servers: readonly GrpcServer[];
  /** Resolves once this many more requests were served. */
  served(more: number): Promise<void>;
}

/** Servers of one maker behind one Service. */
async function openFleet(servers: readonly GrpcServer[]): Promise<Fleet> {
  const [port = 0] = await freePorts(1);
  const endpoints = servers.map((server) => `127.0.0.1:${server.port}`).join(",");
  const running = await openGateway({
    "gateway.yaml": join([
      GATEWAY_CLASS,
      gateway([`{ name: h2c, port: ${port}, protocol: HTTP }`]),
      grpcRoute("echo", "echo.test", "echo"),
      service("echo", 0, { annotations: { "sallyport.io/endpoints": endpoints } }),
    ]),
  });
  const count = (): Promise<number> => readMetric(running.sallyport, "sallyport_http_requests_total");
  return {
    port,
    servers,
    served: async (more) => {
      const enough = (await count()) + more;
      await settles(async () => assert.ok((await count()) >= enough), { within: 100_000 });
    },
    [Symbol.asyncDispose]: async () => {
      await running.stop();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

describe("drains", () => {
  for (const maker of MAKERS) {
    test(`a ${maker} server that ends gracefully under load costs no call`, async () => {
      await using fleet = await openFleet([await openServer(maker), await openServer(maker)]);
      const load = await startLoad("go", {
        ...orderOf({ target: `127.0.0.1:${fleet.port}`, authority: "echo.test", ca: "", kind: "unary" }),
        parallel: 50,
      });
      await fleet.served(500);
      await fleet.servers[0]?.drain();
      await fleet.served(500);
      assert.deepEqual(Object.keys(await load.finish()), ["0"]);
    });

    test(`${maker} servers that send connections away every 50 ms cost no call`, async () => {
      await using fleet = await openFleet([await openServer(maker, { maxConnectionAge: 50 })]);
      const order = orderOf({ target: `127.0.0.1:${fleet.port}`, authority: "echo.test", ca: "", kind: "bidi" });
      const load = await startLoad("go", { ...order, send: [10, 10, 10], parallel: 50 });
      await fleet.served(2000);
      assert.deepEqual(Object.keys(await load.finish()), ["0"]);
    });

    test(`a call that is under way outlives the GOAWAY of a ${maker} server`, async () => {
      await using fleet = await openFleet([await openServer(maker)]);
      const [server] = fleet.servers;
      const order = orderOf({ target: `127.0.0.1:${fleet.port}`, authority: "echo.test", ca: "", kind: "bidi" });
      const send = Array.from({ length: 5000 }, () => 10);
      const calls = makeCalls("js", { ...order, send, metadata: [["x-tell", "long"]] });
      await server?.told("begun", "long");
      await server?.drain();
      const [result] = await calls;
      assert.deepEqual([result?.code, result?.received.length], [0, 5000]);
    });
  }
});
