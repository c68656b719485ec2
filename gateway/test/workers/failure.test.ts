import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { headerOf, type KeepAliveClient, Rig } from "./rig.ts";

process.env["SALLYPORT_TEST_HOOKS"] = "1";

/** Asks until told to stop or the connection ends; tells how many answers there were and how it ended. */
async function askOn(client: KeepAliveClient, isOver: () => boolean): Promise<{ answers: number; failure: string }> {
  let answers = 0;
  try {
    while (!isOver()) {
      const { status } = await client.ask();
      assert.equal(status, 200);
      answers++;
    }
    return { answers, failure: "" };
  } catch (error) {
    return { answers, failure: String(error) };
  }
}

test("a worker killed under load costs its own connections, is replaced, and no counter goes down", async () => {
  await using rig = await Rig.start({ workers: 2 });
  await rig.apply({ version: "1" });
  const clients = await rig.openMany(24);
  let over = false;
  const runs = clients.map((client) => askOn(client, () => over));
  await eventually(async () => (await rig.metrics()).sum("sallyport_http_requests_total") > 200);
  const before = await rig.metrics();
  assert.equal((await rig.admin("/workers/0/terminate", "POST")).status, 202);
  await eventually(async () => (await rig.metrics()).value('sallyport_worker_replacements_total{reason="died"}') === 1);
  await eventually(async () => (await rig.metrics()).value("sallyport_workers") === 2, { within: 60_000 });
  over = true;
  const results = await Promise.all(runs);
  const victims = results.filter(({ failure }) => failure !== "");
  assert.ok(victims.length > 0 && victims.length < 24, `${victims.length} of 24 connections ended`);
  for (const { failure } of victims) assert.match(failure, /the connection was (reset|ended)/);

  const answers = results.reduce((sum, result) => sum + result.answers, 0);
  await rig.untilMetrics((after) => {
    const counted = after.sum("sallyport_http_requests_total", 'code_class="2xx"');
    assert.ok(counted >= answers, `${counted} requests counted, ${answers} answered`);
  });
  const after = await rig.metrics();
  for (const family of ["sallyport_http_requests_total", "sallyport_downstream_connections_total"]) {
    assert.ok(after.sum(family) >= before.sum(family), family);
  }
  await eventually(async () => {
    const active = (await rig.metrics()).sum("sallyport_downstream_connections_active");
    return active === 24 - victims.length;
  });

  const fresh = await rig.openMany(24);
  for (const client of fresh) assert.equal(headerOf(await client.ask(), "x-version"), "1");
  const dump = JSON.parse((await rig.admin("/config_dump")).body) as { workers: unknown };
  assert.deepEqual(dump.workers, [
    { worker: 0, state: "serving", epoch: 1 },
    { worker: 1, state: "serving", epoch: 1 },
  ]);
});

test("a worker that hangs is noticed by its heartbeat and replaced, and changes go on without it", async () => {
  // As by default: less, and a busy machine lets workers look hung again and again.
  await using rig = await Rig.start({ workers: 2, heartbeat: { interval: 1_000, misses: 5 } });
  await rig.apply({ version: "1" });
  assert.equal((await rig.admin("/workers/1/hang", "POST")).status, 202);
  const change = rig.apply({ version: "2" });
  const hung = 'sallyport_worker_replacements_total{reason="hung"}';
  // The other, too, where the machine gives it no processor for so long.
  await eventually(async () => ((await rig.metrics()).value(hung) ?? 0) >= 1, { within: 60_000 });
  await change;
  await eventually(async () => (await rig.metrics()).value("sallyport_workers") === 2, { within: 60_000 });
  assert.equal((await rig.metrics()).value('sallyport_worker_replacements_total{reason="died"}'), 0);
  for (const client of await rig.openMany(16)) assert.equal(headerOf(await client.ask(), "x-version"), "2");
});

test("a configuration that comes while a worker is down reaches its replacement, too", async () => {
  await using rig = await Rig.start({ workers: 2 });
  await rig.apply({ version: "1" });
  await rig.admin("/workers/0/terminate", "POST");
  for (let version = 2; version < 30; version++) await rig.apply({ version: String(version) });
  await eventually(async () => (await rig.metrics()).value("sallyport_workers") === 2, { within: 60_000 });
  await rig.apply({ version: "30" });
  for (const client of await rig.openMany(16)) assert.equal(headerOf(await client.ask(), "x-version"), "30");
});

/** So many that no worker is without any, however the kernel spreads them. */
const MANY = 64;

test("a dead worker's requests in flight stop counting on their endpoint, and those of the other two go on", async () => {
  await using rig = await Rig.start({ workers: 3 });
  await rig.apply();
  const clients = await rig.openMany(MANY);
  const slow = clients.map((client) => client.ask("/slow").catch((error: unknown) => String(error)));
  const active = async (): Promise<number> => {
    const [cluster] = JSON.parse((await rig.admin("/clusters")).body) as { endpoints: { active: number }[] }[];
    return cluster?.endpoints[0]?.active ?? -1;
  };
  await eventually(async () => (await active()) === MANY);
  await rig.admin("/workers/0/terminate", "POST");
  // both still count as there until the end of one is noticed
  await eventually(
    async () => (await rig.metrics()).value('sallyport_worker_replacements_total{reason="died"}') === 1,
    { within: 60_000 },
  );
  await eventually(async () => (await rig.metrics()).value("sallyport_workers") === 3, { within: 60_000 });
  const left = await active();
  assert.ok(left > 0 && left < MANY, `${left} still active`);
  rig.backend.emit("release");
  const answers = await Promise.all(slow);
  assert.equal(answers.filter((answer) => typeof answer !== "string").length, left);
  await eventually(async () => (await active()) === 0);
});
