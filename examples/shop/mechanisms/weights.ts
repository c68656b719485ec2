/** Weights: a new version gets a part of the requests. */
import { count, tell } from "../client.ts";
import type { Scenario } from "../scenario.ts";

/** What `try.ts weights` runs. */
export const weights: Scenario = {
  title: "a new version gets a part of the requests (a canary), and whoever asks for it",
  async run(shop) {
    shop.say("checkout-3 is a new version with a weight of 10 of 100; 200 orders:");
    const answers = await shop.askMany(200, "/api/orders", { method: "POST", body: "rope" });
    const instances = answers.map(({ instance }) => instance);
    shop.say(`  ${tell(instances)}`);
    const share = count(instances)["checkout-3"] ?? 0;
    shop.expect(share >= 3 && share <= 50, "about a tenth went to the new version");

    shop.say("ten orders with x-version: next:");
    const headers = { "x-version": "next" };
    const pinned = await shop.askMany(10, "/api/orders", { method: "POST", headers });
    shop.say(`  ${tell(pinned.map(({ instance }) => instance))}`);
    shop.expect(
      pinned.every(({ instance }) => instance === "checkout-3"),
      "all went to the new version",
    );

    shop.say("it is found wanting, and its weight becomes 0; 100 orders:");
    await shop.edit("weights.yaml", (text) => text.replace("weight: 10 }", "weight: 0 }"));
    const after = (await shop.askMany(100, "/api/orders", { method: "POST" })).map(({ instance }) => instance);
    shop.say(`  ${tell(after)}`);
    shop.expect(count(after)["checkout-3"] === undefined, "none went to the new version");
  },
};
