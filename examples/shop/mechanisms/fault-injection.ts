/** Fault injection: failures and delays on purpose. */
import { tell } from "../client.ts";
import type { Scenario } from "../scenario.ts";

/** What `try.ts fault-injection` runs. */
export const faultInjection: Scenario = {
  title: "a share of the requests fails or waits on purpose, and services see nothing of it",
  async run(shop) {
    shop.say("half of the requests to checkout fail on purpose; 100 of them:");
    const { requests } = await shop.seen("checkout");
    const answers = await shop.askMany(100, "/api/orders");
    const failed = answers.filter(({ status }) => status === 503).length;
    const seen = (await shop.seen("checkout")).requests - requests;
    shop.say(`  ${tell(answers.map(({ status }) => status))}; checkout saw ${seen}`);
    shop.expect(failed >= 20 && failed <= 80, "about half failed");
    shop.expect(seen === 100 - failed, "nothing of those reached checkout");
    await shop.until(
      "metrics",
      async () => (await shop.metric("sallyport_http_requests_total", 'flag="FI"')) >= failed,
    );
    shop.expect(true, "metrics count them with the flag FI");

    shop.say("carts wait 150 ms; five requests:");
    const slow = await shop.askInTurn(5, "/api/cart");
    shop.say(`  ${slow.map(({ took }) => `${Math.round(took)} ms`).join(", ")}`);
    shop.expect(
      slow.every(({ status, took }) => status === 200 && took >= 145),
      "all were answered, and took that long",
    );
  },
};
