/** Retries: requests that failed are sent once more, to another instance. */
import { tell } from "../client.ts";
import type { Scenario } from "../scenario.ts";
import type { Shop } from "../shop.ts";

/** What `try.ts retries` runs. */
export const retries: Scenario = {
  title: "requests that fail are sent once more, to another instance",
  async run(shop) {
    await showAnswers(shop);
    await showOrders(shop);
  },
};

async function showAnswers(shop: Shop): Promise<void> {
  shop.say("catalogue-2 answers 503 to everything; 30 requests:");
  await shop.behave("catalogue-2", "failing");
  const before = await shop.seen("catalogue-2");
  const retried = await shop.metric("sallyport_upstream_retries_total");
  const answers = await shop.askInTurn(30, "/api/products");
  const failed = (await shop.seen("catalogue-2")).requests - before.requests;
  const more = (await shop.metric("sallyport_upstream_retries_total")) - retried;
  shop.say(`  ${tell(answers.map(({ instance }) => instance))}; ${failed} tries failed in catalogue-2`);
  shop.expect(failed > 0, "catalogue-2 was asked, and failed");
  shop.expect(
    answers.every(({ status, instance }) => status === 200 && instance !== "catalogue-2"),
    "all clients got 200, from another instance",
  );
  shop.expect(more === failed, `metrics count ${failed} retries, one for each`);
  await shop.behave("catalogue-2", "well");
}

async function showOrders(shop: Shop): Promise<void> {
  shop.say(
    "two of three instances of checkout make each order, and lose the connection before they answer; 10 orders:",
  );
  for (const instance of ["checkout-1", "checkout-2"]) await shop.behave(instance, "losing");
  const { requests } = await shop.seen("checkout");
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      shop.ask("/api/orders", { method: "POST", body: "rope", headers: { "idempotency-key": `${requests}-${index}` } }),
    ),
  );
  const tries = (await shop.seen("checkout")).requests - requests;
  const repeated = answers.filter(({ text }) => text.includes('"repeated":true')).length;
  const numbers = new Set(answers.map(({ text }) => /"number":(\d+)/.exec(text)?.[1]));
  shop.say(
    `  ${tell(answers.map(({ status }) => status))}; ${tries} tries, ${repeated} of the orders had been made by a lost one`,
  );
  shop.expect(tries > 10 && repeated > 0, "tries were lost and repeated");
  shop.expect(
    answers.every(({ status }) => status < 300) && numbers.size === 10,
    "each client has its order, and none was made twice",
  );
}
