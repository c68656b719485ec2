/** Limits of a cluster over three real workers: what the backend sees at once, and what a worker that dies leaves behind. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Limits } from "@sallyport/model/traffic";
import { eventually } from "@sallyport/testkit/eventually";
import { RawClient } from "@sallyport/testkit/raw-client";
import { toSnapshot } from "@sallyport/model/snapshot";
import { Rig } from "../workers/rig.ts";

process.env["SALLYPORT_TEST_HOOKS"] = "1";

const WORKERS = 3;
/** Three workers start, and start anew, on a machine that does other things. */
const PATIENCE = { within: 60_000 };
const REQUEST = "GET / HTTP/1.1\r\nhost: shop.example.com\r\n\r\n";

/** Answers when it is told to, and knows how many it has at once. */
class HeldBackend implements AsyncDisposable {
  readonly #server: Server;
  readonly held = new Set<ServerResponse>();
  most = 0;
  connections = 0;
  mostConnections = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.mostConnections = Math.max(this.mostConnections, ++this.connections);
      socket.on("close", () => this.connections--);
    });
    server.on("request", (_request, response: ServerResponse) => {
      this.held.add(response);
      response.on("close", () => this.held.delete(response));
      this.most = Math.max(this.most, this.held.size);
    });
  }

  static async open(): Promise<HeldBackend> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new HeldBackend(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Answers what there is. */
  release(): void {
    for (const response of this.held) {
      this.held.delete(response);
      response.end("served");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

async function apply(rig: Rig, backend: HeldBackend, limits: Limits): Promise<void> {
  const { resources } = rig.snapshot({ backends: [backend.port] });
  const limited = [...resources.values()].map((one) => (one.kind === "cluster" ? { ...one, limits } : one));
  const { applied } = await rig.gateway.apply(toSnapshot(limited));
  assert.ok(applied);
}

function openClients(rig: Rig, count: number): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: count }, () => RawClient.open({ port: rig.port })));
}

function countAnswers(clients: readonly RawClient[], status: number): number {
  return clients.filter(({ responses: [first] }) => first?.complete === true && first.status === status).length;
}

test("three workers have no more connections than the limit and one for each other, and everybody is served", async () => {
  await using backend = await HeldBackend.open();
  await using rig = await Rig.start({ workers: WORKERS });
  await apply(rig, backend, { connections: 8, pending: 1000 });
  const clients = await openClients(rig, 64);
  await Promise.all(clients.map((client) => client.send(REQUEST)));
  await eventually(() => backend.held.size >= 8, PATIENCE);
  await eventually(() => {
    backend.release();
    return countAnswers(clients, 200) === clients.length;
  }, PATIENCE);
  assert.ok(backend.most >= 8, `${backend.most} at once`);
  assert.ok(backend.mostConnections <= 8 + WORKERS - 1, `${backend.mostConnections} connections`);
  for (const client of clients) client.close();
});

test("requests beyond the limit of all workers are refused, and what a dead worker had is free for the others", async () => {
  await using backend = await HeldBackend.open();
  await using rig = await Rig.start({ workers: WORKERS });
  const most = 12;
  await apply(rig, backend, { connections: 1000, pending: 1000, requests: most });
  const fill = async (): Promise<RawClient[]> => {
    const clients = await openClients(rig, 64);
    await Promise.all(clients.map((client) => client.send(REQUEST)));
    await eventually(() => countAnswers(clients, 503) + backend.held.size >= clients.length, PATIENCE);
    return clients;
  };
  const first = await fill();
  assert.ok(backend.held.size >= most && backend.most <= most + WORKERS - 1, `${backend.most} at once`);
  const requestsNow = async (): Promise<number> => {
    const [cluster] = JSON.parse((await rig.admin("/clusters")).body) as { limits: { requests: { now: number } } }[];
    return cluster?.limits.requests.now ?? -1;
  };
  assert.equal(await requestsNow(), backend.held.size);
  const overflow = 'sallyport_upstream_overflow_total{limit="requests"}';
  assert.equal((await rig.metrics()).value(overflow), first.length - backend.held.size);
  // Which worker has some is the kernel's choice: one after the other dies until one had.
  const held = backend.held.size;
  for (let worker = 0; worker < WORKERS && backend.held.size === held; worker++) {
    await rig.admin(`/workers/${worker}/terminate`, "POST");
    await eventually(
      async () => (await rig.metrics()).sum("sallyport_worker_replacements_total") === worker + 1,
      PATIENCE,
    );
    await eventually(async () => (await rig.metrics()).value("sallyport_workers") === WORKERS, PATIENCE);
    await eventually(async () => (await requestsNow()) === backend.held.size, PATIENCE);
  }
  assert.ok(backend.held.size < held, "a worker with requests died");
  const second = await openClients(rig, 64);
  await Promise.all(second.map((client) => client.send(REQUEST)));
  await eventually(() => backend.held.size >= most, PATIENCE);
  assert.ok(backend.held.size <= most + WORKERS - 1);
  // one that had not been sent yet may have come into the room that others gave up
  await eventually(async () => {
    backend.release();
    return (await requestsNow()) === 0;
  }, PATIENCE);
  for (const client of [...first, ...second]) client.close();
});
