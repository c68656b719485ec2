/** Rollouts: instances that go finish what they have, and no client notices. */
import { count, tell } from "../client.ts";
import type { Scenario } from "../scenario.ts";
import type { Shop } from "../shop.ts";

/** What `try.ts rollout` runs. */
export const rollout: Scenario = {
  title: "an instance that goes finishes what it has and gets nothing new; no request is lost",
  async run(shop) {
    shop.say("a request hangs in catalogue-3:");
    await shop.behave("catalogue-3", "hanging");
    const pending: ReturnType<Shop["ask"]>[] = [];
    await shop.until("a request in catalogue-3", async () => {
      pending.push(shop.ask("/api/products"));
      return (await shop.seen("catalogue-3")).held > 0;
    });

    shop.say("Kubernetes says that catalogue-3 is terminating; 30 requests:");
    await shop.edit("services.yaml", (text) =>
      text.replace(
        /ready: true, serving: true, terminating: false(.*catalogue-3)/,
        "ready: false, serving: true, terminating: true$1",
      ),
    );
    const { held, requests } = await shop.seen("catalogue-3");
    const during = await shop.askInTurn(30, "/api/products");
    shop.say(`  ${tell(during.map(({ instance }) => instance))}; in catalogue-3 ${held} still under way`);
    shop.expect((await shop.endpoint("catalogue-3"))?.state === "draining", "/clusters shows it draining");
    shop.expect((await shop.seen("catalogue-3")).requests === requests, "it gets nothing new");

    shop.say("catalogue-3 answers:");
    await shop.release("catalogue-3");
    const all = [...(await Promise.all(pending)), ...during];
    shop.say(`  ${tell(all.map(({ status }) => status))}`);
    shop.expect(
      all.every(({ status }) => status === 200),
      "what it had is finished, and nothing was lost",
    );

    shop.say("its successor is ready; 30 requests:");
    await shop.behave("catalogue-3", "well");
    await shop.edit("services.yaml", (text) =>
      text.replace(/ready: false, serving: true, terminating: true/, "ready: true, serving: true, terminating: false"),
    );
    const later = await shop.askInTurn(30, "/api/products");
    shop.say(`  ${tell(later.map(({ instance }) => instance))}`);
    shop.expect(count(later.map(({ instance }) => instance))["catalogue-3"] === 10, "it has its third");
  },
};
