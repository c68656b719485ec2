/** Endpoints that are meant for where the gateway runs: every worker hears of the place, those that come later too. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { NOWHERE } from "../../src/cluster/locality.ts";
import { type Backend, openBackend, say } from "./backends.ts";
import { RetryRig } from "./rig.ts";

process.env["SALLYPORT_TEST_HOOKS"] = "1";

/** So many connections that each of three workers gets some. */
const MANY = 48;

interface Zones {
  readonly rig: RetryRig;
  readonly here: Backend;
  readonly there: Backend;
}

/** Asks on many connections; how many requests came here and there. */
async function ask({ rig, here, there }: Zones): Promise<readonly [number, number]> {
  const before = [here.count, there.count] as const;
  await Promise.all(Array.from({ length: MANY }, () => rig.ask()));
  return [here.count - before[0], there.count - before[1]];
}

function toEndpoints(here: Backend, there: Backend): readonly { readonly port: number; readonly forZones: string[] }[] {
  return [
    { port: here.port, forZones: ["here"] },
    { port: there.port, forZones: ["there"] },
  ];
}

test("all workers prefer the endpoints of the place they are told of, and of the next one", async () => {
  await using here = await openBackend(say(200));
  await using there = await openBackend(say(200));
  await using rig = await RetryRig.start({ backends: toEndpoints(here, there) }, { workers: 3 });
  const zones = { rig, here, there };
  const [both, bothToo] = await ask(zones);
  assert.ok(both > 0 && bothToo > 0, "nobody said where it is");
  for (const [zone, expected] of [
    ["here", [MANY, 0]],
    ["there", [0, MANY]],
  ] as const) {
    rig.gateway.place({ ...NOWHERE, zone });
    await eventually(async () => {
      assert.deepEqual(await ask(zones), expected);
      return true;
    });
  }
  rig.gateway.place(NOWHERE);
  await eventually(async () => (await ask(zones)).every((count) => count > 0));
});

test("a gateway that starts in a place serves from it, and so does a worker that replaces another", async () => {
  await using here = await openBackend(say(200));
  await using there = await openBackend(say(200));
  const place = { ...NOWHERE, zone: "here" };
  await using rig = await RetryRig.start({ backends: toEndpoints(here, there) }, { workers: 3, place });
  const zones = { rig, here, there };
  assert.deepEqual(await ask(zones), [MANY, 0]);
  assert.equal((await rig.admin("/workers/0/terminate", "POST")).status, 202);
  await eventually(async () => (await rig.metrics()).value('sallyport_worker_replacements_total{reason="died"}') === 1);
  await eventually(async () => (await rig.metrics()).value("sallyport_workers") === 3, { within: 60_000 });
  assert.deepEqual(await ask(zones), [MANY, 0]);
});
