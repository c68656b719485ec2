/** A worker that dies while its cluster is at all of its limits: nothing of it is counted for ever, and the limits are as before. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { DEFAULT_BACKOFF, type RetryBudget, type RetryPolicy } from "@sallyport/model/retry";
import { type Resource, toSnapshot } from "@sallyport/model/snapshot";
import { eventually } from "@sallyport/testkit/eventually";
import { RawClient } from "@sallyport/testkit/raw-client";
import { Rig } from "../workers/rig.ts";

process.env["SALLYPORT_TEST_HOOKS"] = "1";

const WORKERS = 3;
/** Several workers that look at the same moment may each find the last place free. */
const MORE = WORKERS - 1;
const LIMITS = { connections: 12, pending: 6, retries: 4 };
/** Leaves it to the limit. */
const BUDGET: RetryBudget = { kind: "concurrent", percent: 100, minimum: 1_000 };
/** Three workers start, and start anew, on a machine that does other things. */
const WITHIN = 60_000;

/** Refuses the first try of what is to be tried again, and answers everything else when it is told to. */
class SlowBackend {
  readonly held = new Set<ServerResponse>();
  connections = 0;
  readonly #refused = new Set<string>();
  readonly server = createServer((request, response) => {
    const { url = "" } = request;
    if (url.startsWith("/again") && !this.#refused.has(url)) {
      this.#refused.add(url);
      response.writeHead(503).end();
      return;
    }
    this.held.add(response);
    response.on("close", () => this.held.delete(response));
  }).on("connection", (socket) => {
    this.connections++;
    socket.on("close", () => this.connections--);
  });

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  release(): void {
    for (const response of this.held) response.end("served");
    this.held.clear();
  }
}

/** Like eventually, for metrics that have to be exactly so. */
async function untilMetrics(rig: Rig, expected: () => Readonly<Record<string, number>>, what: string): Promise<void> {
  const probe = async (): Promise<true> => {
    const metrics = await rig.metrics();
    const names = expected();
    assert.deepEqual(Object.fromEntries(Object.keys(names).map((name) => [name, metrics.sum(name)])), names);
    return true;
  };
  await eventually(probe, { within: WITHIN, what });
}

function toLimited(rig: Rig, backend: SlowBackend): Resource[] {
  const retry: RetryPolicy = {
    attempts: 1,
    on: [],
    statuses: [503],
    backoff: { ...DEFAULT_BACKOFF, base: 1, max: 1 },
    samePlace: true,
  };
  const { resources } = rig.snapshot({ backends: [backend.port] });
  return [...resources.values()].map((one) => {
    if (one.kind === "cluster") return { ...one, limits: LIMITS, retryBudget: BUDGET };
    return one.kind === "http-route" ? { ...one, rules: one.rules.map((rule) => ({ ...rule, retry })) } : one;
  });
}

/** Fills the cluster to all of its limits. */
async function fill(rig: Rig, backend: SlowBackend, round: string): Promise<readonly RawClient[]> {
  const clients: RawClient[] = [];
  const send = async (count: number, path: string): Promise<void> => {
    const opened = await Promise.all(Array.from({ length: count }, () => RawClient.open({ port: rig.port })));
    clients.push(...opened);
    await Promise.all(
      opened.map((client, at) => client.send(`GET ${path}/${round}/${at} HTTP/1.1\r\nhost: shop.example.com\r\n\r\n`)),
    );
  };
  const answered = (): number => clients.filter(({ responses: [first] }) => first?.complete === true).length;
  await send(10, "/again");
  await eventually(() => answered() + backend.held.size === 10, {
    within: WITHIN,
    what: "retries as the limit has it",
  });
  const retried = backend.held.size;
  await send(40, "/once");
  const pending = async (): Promise<number> => (await rig.metrics()).value("sallyport_upstream_requests_pending") ?? 0;
  // a connection that is idle in one worker becomes another's within a second
  const isFull = async (): Promise<boolean> =>
    backend.held.size >= LIMITS.connections && answered() + backend.held.size + (await pending()) === 50;
  await eventually(isFull, { within: WITHIN, what: "every request to be held, pending or refused" });
  assert.ok(retried >= LIMITS.retries && retried <= LIMITS.retries + MORE, `${retried} retries`);
  assert.ok(backend.held.size <= LIMITS.connections + MORE, `${backend.held.size} on connections`);
  const waiting = await pending();
  assert.ok(waiting <= LIMITS.pending + MORE, `${waiting} wait`);
  return clients;
}

/** Lets the backend answer until no client waits. */
async function finish(backend: SlowBackend, clients: readonly RawClient[]): Promise<void> {
  const isOver = ({ state, responses: [first] }: RawClient): boolean => state !== "open" || first?.complete === true;
  await eventually(
    () => {
      backend.release();
      return clients.every(isOver);
    },
    { within: WITHIN, what: "the end of the load" },
  );
  for (const client of clients) client.close();
}

test("what a worker that dies at the limits had counted is gone with it, and a new load meets the same limits", async (t) => {
  const backend = new SlowBackend();
  backend.server.listen(0, "127.0.0.1");
  await once(backend.server, "listening");
  t.after(() => {
    backend.server.closeAllConnections();
    backend.server.close();
  });
  await using rig = await Rig.start({ workers: WORKERS });
  const { applied, problems } = await rig.gateway.apply(toSnapshot(toLimited(rig, backend)));
  assert.ok(applied, JSON.stringify(problems));
  const load = await fill(rig, backend, "first");
  assert.equal((await rig.admin("/workers/0/terminate", "POST")).status, 202);
  await untilMetrics(
    rig,
    () => ({ sallyport_worker_replacements_total: 1, sallyport_workers: WORKERS }),
    "another worker 0",
  );
  await finish(backend, load);
  const atRest = (): Record<string, number> => ({
    sallyport_upstream_requests_pending: 0,
    sallyport_upstream_breakers_open: 0,
    sallyport_upstream_connections_active: backend.connections,
    sallyport_downstream_connections_active: 0,
  });
  await untilMetrics(rig, atRest, "the gauges of a cluster at rest");
  const [cluster] = JSON.parse((await rig.admin("/clusters")).body) as ShownCluster[];
  const now = (name: string): number | undefined => cluster?.limits[name]?.now;
  assert.deepEqual([now("pending"), now("retries"), now("connections")], [0, 0, backend.connections]);
  assert.equal(cluster?.endpoints[0]?.active, 0);
  await finish(backend, await fill(rig, backend, "second"));
});

interface ShownCluster {
  readonly limits: Readonly<Record<string, { readonly now: number }>>;
  readonly endpoints: readonly { readonly active: number }[];
}
