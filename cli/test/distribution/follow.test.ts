import assert from "node:assert/strict";
import { test } from "node:test";
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
