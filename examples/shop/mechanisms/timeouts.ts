/** Time limits: of a try, after which another instance is asked, and of the request as a whole. */
import type { Answered } from "../client.ts";
import type { Scenario } from "../scenario.ts";

/** What `try.ts timeouts` runs. */
export const timeouts: Scenario = {
  title: "a try that takes too long is given up, a request that takes too long is answered 504",
  async run(shop) {
    shop.say("catalogue-2 hangs; requests until three of them have met it:");
    await shop.behave("catalogue-2", "hanging");
    const { requests } = await shop.seen("catalogue-2");
    const answers: Answered[] = [];
    await shop.until("three tries in catalogue-2", async () => {
      answers.push(await shop.ask("/api/products"));
      return (await shop.seen("catalogue-2")).requests >= requests + 3;
    });
    const waited = answers.map(({ took }) => took).filter((took) => took >= 190);
    shop.say(`  ${answers.length} requests; some took ${waited.map((took) => `${Math.round(took)} ms`).join(", ")}`);
    shop.expect(
      answers.every(({ status }) => status === 200),
      "all were answered 200",
    );
    shop.expect(waited.length >= 3, "those three waited 200 ms, and were answered by another instance");

    shop.say("all of checkout hangs; an order:");
    await shop.behave("checkout", "hanging");
    const before = await shop.metric("sallyport_http_requests_total", 'flag="UT"');
    const order = await shop.ask("/api/orders", { method: "POST", body: "rope" });
    shop.say(`  ${order.status} after ${Math.round(order.took)} ms`);
    shop.expect(order.status === 504 && order.took >= 390, "it is answered 504 after 400 ms");
    await shop.until(
      "the metric",
      async () => (await shop.metric("sallyport_http_requests_total", 'flag="UT"')) > before,
    );
    shop.expect(true, "metrics count it with the flag UT");
  },
};
