import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { ACCOUNT, GROUP, openApi, openTestPublisher, startProxy, toVersionSnapshot } from "./rig.ts";

test("a proxy that cannot apply what it is sent asks for it ever less often, although it is answered each time", async (t) => {
  const api = openApi();
  const publisher = await openTestPublisher(api);
  t.after(() => publisher.close());
  await using proxy = await startProxy({
    controllerPort: publisher.port,
    trusted: publisher.trusted,
    token: api.addToken("shop", ACCOUNT),
  });
  await eventually(() => publisher.groupState(GROUP).connected === 1);
  const attempts: number[] = [];
  Object.defineProperty(proxy.gateway, "apply", {
    value: (): Promise<never> => {
      attempts.push(performance.now());
      return Promise.reject(new Error("no worker answers"));
    },
  });
  publisher.publish(new Map([[GROUP, toVersionSnapshot("one")]]));
  await eventually(() => attempts.length === 5, { within: 60_000 });
  const [first = 0] = attempts;
  const times = attempts.map((at) => Math.round(at - first));
  // Half of 250 + 500 + 1000 + 2000 at least; waits that do not grow are a second at most. A timer may be a millisecond early.
  assert.ok((times[4] ?? 0) >= 1870, `attempts after ${times.join(", ")} ms`);
});
