/** Locality: requests stay in the zone of the gateway, as long as somebody there is well. */
import { count, tell } from "../client.ts";
import type { Scenario } from "../scenario.ts";
import type { Shop } from "../shop.ts";

/** What `try.ts locality` runs. */
export const locality: Scenario = {
  title: "requests stay in the zone of the gateway, as long as somebody there is well",
  async run(shop) {
    for (const instance of ["catalogue-1", "catalogue-2", "catalogue-3"]) await shop.untilHealth(instance, "fit");
    shop.say("the gateway is in zone a with catalogue-1, the others are in b and c; 30 requests:");
    shop.expect((await ask30(shop)).join() === "catalogue-1", "all stay in zone a");

    shop.say("catalogue-1 is not well; 30 requests:");
    await shop.behave("catalogue-1", "unwell");
    await shop.untilHealth("catalogue-1", "unhealthy");
    shop.expect((await ask30(shop)).join() === "catalogue-2,catalogue-3", "the other zones help out");

    shop.say("catalogue-1 is well again; 30 requests:");
    await shop.behave("catalogue-1", "well");
    await shop.untilHealth("catalogue-1", "fit");
    shop.expect((await ask30(shop)).join() === "catalogue-1", "they are back in zone a");
  },
};

/** Who answers. */
async function ask30(shop: Shop): Promise<readonly string[]> {
  const instances = (await shop.askInTurn(30, "/api/products")).map(({ instance }) => instance);
  shop.say(`  ${tell(instances)}`);
  return Object.keys(count(instances));
}
