import assert from "node:assert/strict";
import { test } from "node:test";
import type { Place } from "@sallyport/model/distribution";
import { eventually } from "@sallyport/testkit/eventually";
import { fetchLocal } from "@sallyport/testkit/process";
import { ACCOUNT, GROUP, openApi, openTestPublisher, startProxy, toVersionSnapshot } from "./rig.ts";

test("a proxy gets its certificate and its configuration, and every change of it", async () => {
  const api = openApi();
  const publisher = await openTestPublisher(api);
  await using proxy = await startProxy({
    controllerPort: publisher.port,
    trusted: publisher.trusted,
    token: api.addToken("shop", ACCOUNT),
  });
  await eventually(() => publisher.groupState(GROUP).connected === 1);
  assert.equal((await fetchLocal(proxy.gateway.metricsPort ?? 0, "/ready")).status, 503, "there is no slice yet");
  publisher.publish(new Map([[GROUP, toVersionSnapshot("one")]]));
  await eventually(() => publisher.groupState(GROUP).current === 1);
  assert.equal((await fetchLocal(proxy.gateway.metricsPort ?? 0, "/ready")).status, 200);
  const before = proxy.port();
  publisher.publish(new Map([[GROUP, toVersionSnapshot("two")]]));
  await eventually(() => publisher.groupState(GROUP).current === 1 && proxy.followed.facts().accepted === 2);
  assert.equal(proxy.port(), before);
  publisher.close();
});

test("a proxy learns where its node is, and where that is after it changed", async () => {
  const api = openApi();
  const told = { zone: "eu-a" };
  const listeners = new Set<() => void>();
  const toPlace = (zone: string): Place => ({ kind: "place", region: "eu", zone, regions: { [zone]: "eu" } });
  const known = new Map(["eu-a", "eu-b"].map((zone) => [zone, toPlace(zone)]));
  const publisher = await openTestPublisher(api, {
    places: {
      placeOf: (node) => (node === "n1" ? known.get(told.zone) : undefined) ?? { kind: "place" },
      onChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
  });
  const token = api.addToken("shop", ACCOUNT);
  const where = { controllerPort: publisher.port, trusted: publisher.trusted, token };
  await using proxy = await startProxy(where, { node: "n1" });
  await eventually(() => proxy.followed.facts().zone === "eu-a");
  told.zone = "eu-b";
  for (const listener of listeners) listener();
  await eventually(() => proxy.followed.facts().zone === "eu-b");
  assert.equal(listeners.size, 1);
  await proxy.stop();
  await eventually(() => listeners.size === 0);
  publisher.close();
});
