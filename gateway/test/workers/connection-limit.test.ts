/** The limit of connections of a port holds over all workers, and for that port alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { RawClient } from "@sallyport/testkit/raw-client";
import { Rig } from "./rig.ts";
import { toListener } from "./snapshots.ts";

const WORKERS = 2;
const LIMIT = 8;
const LIMITED = 'sallyport_downstream_connections_limited_total{listener="default/gw/limited"}';

/** Opens connections until so many stay; each is asked something, so that it is known which do. */
async function countServed(port: number, attempts: number, clients: RawClient[]): Promise<number> {
  let served = 0;
  for (let i = 0; i < attempts; i++) {
    const client = await RawClient.open({ port });
    clients.push(client);
    await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").catch(() => undefined);
    await client.signal.require(
      () => client.responses.length === 1 || client.state !== "open",
      5000,
      "an answer or the end",
    );
    if (client.responses.length === 1) served++;
  }
  return served;
}

test("connections beyond the limit are closed whichever worker has them; other ports and freed places are not touched", async (t) => {
  await using rig = await Rig.start({ workers: WORKERS });
  const clients: RawClient[] = [];
  t.after(() => clients.forEach((client) => client.close()));
  const limited = { ...toListener("limited", 0), connections: { maxConnections: LIMIT } };
  const free = toListener("free", 0, "127.0.0.2");
  await rig.apply({ listeners: [limited, free] });
  const portOf = (address: string): number => rig.gateway.ports().get(`${address}:0`) ?? 0;

  const served = await countServed(portOf("127.0.0.1"), 24, clients);
  // one after the other there is no race
  assert.equal(served, LIMIT);
  await rig.untilMetrics((metrics) => assert.equal(metrics.value(LIMITED), 24 - LIMIT));
  const other = await RawClient.open({ port: portOf("127.0.0.2"), host: "127.0.0.2" });
  clients.push(other);
  await other.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await other.signal.require(() => other.responses.length === 1, 5000, "an answer on the other port");

  for (const client of clients) client.close();
  await eventually(async () => (await rig.metrics()).sum("sallyport_downstream_connections_active") === 0);
  assert.equal(await countServed(portOf("127.0.0.1"), LIMIT, clients), LIMIT);
});

test("connections that come at once overshoot by one for each further worker at most", async (t) => {
  await using rig = await Rig.start({ workers: WORKERS });
  const clients: RawClient[] = [];
  t.after(() => clients.forEach((client) => client.close()));
  const port = await rig.apply({
    listeners: [{ ...toListener("limited", 0), connections: { maxConnections: LIMIT } }],
  });
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      const client = await RawClient.open({ port });
      clients.push(client);
      await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").catch(() => undefined);
      await client.signal.require(
        () => client.responses.length === 1 || client.state !== "open",
        5000,
        "an answer or the end",
      );
    }),
  );
  const served = clients.filter((client) => client.responses.length === 1).length;
  assert.ok(served >= LIMIT && served < LIMIT + WORKERS, `${served} of at most ${LIMIT}`);
});

test("a worker that dies gives back the places of its connections", async (t) => {
  process.env["SALLYPORT_TEST_HOOKS"] = "1";
  await using rig = await Rig.start({ workers: WORKERS });
  const clients: RawClient[] = [];
  t.after(() => clients.forEach((client) => client.close()));
  const port = await rig.apply({
    listeners: [{ ...toListener("limited", 0), connections: { maxConnections: LIMIT } }],
  });
  assert.equal(await countServed(port, LIMIT + 4, clients), LIMIT);
  const stays = (): number =>
    clients.filter((client) => client.responses.length === 1 && client.state === "open").length;
  assert.equal((await rig.admin("/workers/0/terminate", "POST")).status, 202);
  await eventually(async () => (await rig.metrics()).value('sallyport_worker_replacements_total{reason="died"}') === 1);
  await eventually(async () => (await rig.metrics()).value("sallyport_workers") === WORKERS, { within: 60_000 });
  await eventually(async () => (await rig.metrics()).sum("sallyport_downstream_connections_active") === stays());
  const left = stays();
  assert.equal(await countServed(port, LIMIT + 4, clients), LIMIT - left);
});
