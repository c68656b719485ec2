/** What a request pays for its connection: acquire an idle one, and give it back. */
import { bench } from "@sallyport/testkit/bench";
import { FakeConnection, FakeOutside, toConfig, toEndpoint } from "../../test/cluster/fakes.ts";
import { PooledCluster } from "./cluster.ts";
import type { ConnectionRequest, UpstreamConnection } from "./contract.ts";

class BenchRequest implements ConnectionRequest {
  readonly upgrades = false;
  connection: UpstreamConnection | undefined;

  assign(connection: UpstreamConnection): void {
    this.connection = connection;
  }

  refuse(): void {
    throw new Error("refused");
  }
}

for (const endpoints of [1, 20]) {
  const outside = new FakeOutside();
  outside.draw = Math.random;
  const config = toConfig();
  const cluster = new PooledCluster(config, outside.options);
  const all = Array.from({ length: endpoints }, (_, n) => toEndpoint(n + 1));
  cluster.update(config, { kind: "endpoints", key: config.key, endpoints: all }, undefined);
  const request = new BenchRequest();
  bench(`acquire and give back, ${endpoints} endpoints`, (iterations) => {
    for (let i = 0; i < iterations; i++) {
      cluster.acquire(request, false);
      const { connection } = request;
      if (connection instanceof FakeConnection) connection.owner.onIdle(connection);
    }
    return cluster;
  });
}
