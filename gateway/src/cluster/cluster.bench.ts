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

const DEFAULTS = toConfig();
const LIMITED = toConfig({
  limits: { ...DEFAULTS.limits, requests: 100, retries: 10, connectionsPerEndpoint: 100 },
  pool: { ...DEFAULTS.pool, maxRequests: 1_000_000_000 },
});

for (const [endpoints, config, name] of [
  [1, DEFAULTS, ""],
  [20, DEFAULTS, ""],
  [1, LIMITED, ", all limits"],
] as const) {
  const outside = new FakeOutside();
  outside.draw = Math.random;
  const cluster = new PooledCluster(config, outside.options);
  const all = Array.from({ length: endpoints }, (_, n) => toEndpoint(n + 1));
  cluster.update(config, { kind: "endpoints", key: config.key, endpoints: all }, undefined);
  const request = new BenchRequest();
  bench(`acquire and give back, ${endpoints} endpoints${name}`, (iterations) => {
    for (let i = 0; i < iterations; i++) {
      cluster.acquire(request, false);
      const { connection } = request;
      if (connection instanceof FakeConnection) connection.owner.onIdle(connection);
    }
    return cluster;
  });
}
