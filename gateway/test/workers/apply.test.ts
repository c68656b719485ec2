import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { headerOf, Rig } from "./rig.ts";
import { toListener, toTestSnapshot } from "./snapshots.ts";

for (const workers of [1, 3]) {
  const within = `with ${workers} worker${workers === 1 ? "" : "s"}`;

  test(`${within}, nothing is served and the gateway is not ready before the first configuration`, async () => {
    await using rig = await Rig.start({ workers });
    assert.equal((await rig.ready()).status, 503);
    assert.match((await rig.ready()).body, /no configuration has been applied yet/);
    assert.equal(rig.gateway.ports().size, 0);
    await rig.apply();
    assert.equal((await rig.ready()).status, 200);
    const client = await rig.open();
    assert.equal((await client.ask("/hello")).body, "/hello");
  });

  test(`${within}, one client never sees an older configuration after a newer one, and no request fails`, async () => {
    await using rig = await Rig.start({ workers });
    await rig.apply({ version: "0" });
    const clients = await rig.openMany(12);
    let flips = 0;
    let flipping = true;
    const flipper = (async () => {
      while (flipping) await rig.apply({ version: String(++flips) });
    })();
    const seen = new Set<number>();
    let newest = -1;
    const end = performance.now() + 1_500;
    // At least so many configurations, however long a busy machine takes for them.
    for (let turn = 0; performance.now() < end || seen.size < 10; turn++) {
      const answer = await clients[turn % clients.length]!.ask();
      assert.equal(answer.status, 200);
      const version = Number(headerOf(answer, "x-version"));
      assert.ok(version >= newest, `saw configuration ${version} after ${newest}`);
      newest = version;
      seen.add(version);
    }
    flipping = false;
    await flipper;
    const last = await Promise.all(clients.map(async (client) => headerOf(await client.ask(), "x-version")));
    assert.deepEqual(new Set(last), new Set([String(flips)]));
  });

  test(`${within}, a port in use refuses the whole change, says why, and what was served goes on`, async () => {
    const squatter = createServer().listen(0, "127.0.0.1");
    await once(squatter, "listening");
    const address = squatter.address();
    const taken = typeof address === "object" && address !== null ? address.port : 0;
    await using rig = await Rig.start({ workers });
    await rig.apply({ version: "1" });
    const client = await rig.open();
    const listeners = [toListener("http", 0), toListener("taken", taken)];
    const refused = await rig.gateway.apply(rig.snapshot({ version: "2", listeners }));
    assert.equal(refused.applied, false);
    assert.equal(refused.epoch, 1);
    assert.deepEqual(
      refused.problems.map(({ code, severity }) => [code, severity]),
      [["port-unavailable", "error"]],
    );
    assert.match(
      refused.problems[0]?.message ?? "",
      new RegExp(`127\\.0\\.0\\.1:${taken} for listener default/gw/taken`),
    );
    assert.match(refused.problems[0]?.hint ?? "", /ss -ltnp.*--port-map/);
    assert.equal(headerOf(await client.ask(), "x-version"), "1");
    const metrics = await rig.metrics();
    assert.equal(metrics.value('sallyport_config_applies_total{outcome="rejected"}'), 1);
    assert.equal(metrics.value("sallyport_config_epoch"), 1);
    squatter.close();
    await once(squatter, "close");
    const { applied } = await rig.gateway.apply(rig.snapshot({ version: "3", listeners }));
    assert.equal(applied, true);
    assert.equal(headerOf(await client.ask(), "x-version"), "3");
    assert.equal(rig.gateway.ports().size, 2);
  });

  test(`${within}, a removed listener stops accepting at once and answers what it had accepted`, async () => {
    await using rig = await Rig.start({ workers });
    const listeners = [toListener("http", 0), toListener("other", 0, "127.0.0.2")];
    await rig.apply({ listeners });
    const port = rig.gateway.ports().get("127.0.0.1:0") ?? 0;
    const client = await rig.open(port);
    const slow = client.ask("/slow");
    await once(rig.backend, "request");
    await rig.apply({ listeners: listeners.slice(1) });
    assert.equal(rig.gateway.ports().has("127.0.0.1:0"), false);
    await assert.rejects(rig.open(port), /ECONNREFUSED/);
    rig.backend.emit("release");
    const answer = await slow;
    assert.equal(answer.body, "slow");
    await client.raw.signal.require(() => client.raw.state === "ended", 5_000, "the connection to end");
  });

  test(`${within}, the same configuration again changes nothing, and changes are done in the order they came`, async () => {
    await using rig = await Rig.start({ workers });
    const results = await Promise.all(
      ["1", "1", "2", "3"].map((version) => rig.gateway.apply(rig.snapshot({ version }))),
    );
    assert.deepEqual(
      results.map(({ applied, epoch }) => [applied, epoch]),
      [
        [true, 1],
        [true, 1],
        [true, 2],
        [true, 3],
      ],
    );
    const client = await rig.open();
    assert.equal(headerOf(await client.ask(), "x-version"), "3");
  });
}

test("an empty configuration counts as one: ready, and nothing bound", async () => {
  await using rig = await Rig.start({ workers: 1 });
  const { applied } = await rig.gateway.apply(toTestSnapshot({ listeners: [] }));
  assert.equal(applied, true);
  assert.equal((await rig.ready()).status, 200);
  assert.equal(rig.gateway.ports().size, 0);
});
