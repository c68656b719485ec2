/** Slow start: an instance that is new gets its share of requests little by little. */
import { count, tell } from "../client.ts";
import type { Scenario } from "../scenario.ts";
import type { Shop } from "../shop.ts";

/** What `try.ts slow-start` runs. */
export const slowStart: Scenario = {
  title: "an instance that is new or back gets its share of requests little by little",
  async run(shop) {
    shop.say("catalogue-3 is not there at first; 20 requests:");
    await shop.edit("services.yaml", (text) => toReady(text, "false"));
    const first = await shop.askInTurn(20, "/api/products");
    shop.say(`  ${tell(first.map(({ instance }) => instance))}`);
    shop.expect(!first.some(({ instance }) => instance === "catalogue-3"), "it gets none");

    for (const instance of ["catalogue-1", "catalogue-2"]) await untilWarm(shop, instance);
    shop.say("catalogue-3 comes; 40 requests at once:");
    await shop.edit("services.yaml", (text) => toReady(text, "true"));
    const { share, percent } = await ask40(shop);
    shop.expect(percent < 100, `it warms up: has ${percent} % of its weight after them`);
    // A third of 40 is 13; with p percent of its weight it is due p of 200 + p.
    const due = (40 * percent) / (200 + percent);
    shop.expect(
      share <= Math.ceil(due) + 1,
      `it got ${share}, with the weight it has now it would be due ${due.toFixed(1)}`,
    );

    await untilWarm(shop, "catalogue-3");
    shop.say("after three seconds; 30 requests:");
    const later = await shop.askInTurn(30, "/api/products");
    shop.say(`  ${tell(later.map(({ instance }) => instance))}`);
    shop.expect(count(later.map(({ instance }) => instance))["catalogue-3"] === 10, "it has its third");
  },
};

/** Also those that were ejected or unhealthy a moment ago warm up. */
async function untilWarm(shop: Shop, instance: string): Promise<void> {
  await shop.until(`${instance} to be warm`, async () => (await shop.endpoint(instance))?.warmWeight === undefined);
}

async function ask40(shop: Shop): Promise<{ readonly share: number; readonly percent: number }> {
  const answers = await Promise.all(shop.askAtOnce(40, "/api/products"));
  const { weight = 1, warmWeight = weight } = (await shop.endpoint("catalogue-3")) ?? {};
  shop.say(`  ${tell(answers.map(({ instance }) => instance))}`);
  const share = count(answers.map(({ instance }) => instance))["catalogue-3"] ?? 0;
  return { share, percent: Math.round((100 * warmWeight) / weight) };
}

function toReady(text: string, ready: "true" | "false"): string {
  return text.replace(/ready: (?:true|false)(.*catalogue-3)/, `ready: ${ready}$1`);
}
