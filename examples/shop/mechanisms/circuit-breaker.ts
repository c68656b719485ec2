/** Circuit breaking: limits of what a service is given at once; what is beyond them is answered 503 right away. */
import { tell } from "../client.ts";
import type { Scenario } from "../scenario.ts";

/** What `try.ts circuit-breaker` runs. */
export const circuitBreaker: Scenario = {
  title: "limits of what a service is given at once; the rest is answered 503 right away",
  async run(shop) {
    // Connections from before the limit would still be used.
    await shop.behave("checkout", "refusing");
    await shop.until(
      "old connections to end",
      async () => (await shop.cluster("shop/checkout:80")).used["connections"] === 0,
    );
    shop.say(
      "checkout hangs; 12 requests arrive at once, where two connections and three waiting requests are allowed:",
    );
    await shop.behave("checkout", "hanging");
    const overflow = await shop.metric("sallyport_upstream_overflow_total", 'limit="pending"');
    const answers = shop.askAtOnce(12, "/api/orders");
    const early: number[] = [];
    for (const answer of answers) {
      void answer.then(
        ({ status }) => early.push(status),
        () => early.push(0),
      );
    }
    await shop.until("seven refusals", () => Promise.resolve(early.length >= 7));
    await shop.until("two to arrive", async () => (await shop.seen("checkout")).held >= 2);

    const { used } = await shop.cluster("shop/checkout:80");
    shop.say(
      `  answered at once: ${tell(early)}; /clusters: ${used["connections"]} connections, ${used["pending"]} wait`,
    );
    shop.expect(
      early.length === 7 && early.every((status) => status === 503),
      "seven were answered 503 while checkout hung",
    );
    shop.expect(used["connections"] === 2 && used["pending"] === 3, "two have a connection, three wait");
    const more = (await shop.metric("sallyport_upstream_overflow_total", 'limit="pending"')) - overflow;
    shop.expect(more === 7, "metrics count the seven");

    await shop.behave("checkout", "well");
    const all = await Promise.all(answers);
    shop.say(`checkout is well again: ${tell(all.map(({ status }) => status))}`);
    shop.expect(all.filter(({ status }) => status === 200).length === 5, "the five others were served");
  },
};
