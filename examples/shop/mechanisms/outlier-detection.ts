/** Outlier detection: an instance that fails real requests gets none for a while. */
import { count, tell } from "../client.ts";
import type { Scenario } from "../scenario.ts";

/** What `try.ts outlier-detection` runs. */
export const outlierDetection: Scenario = {
  title: "an instance that fails real requests gets none for a while",
  async run(shop) {
    shop.say("catalogue-2 hangs, and the time limit of 300 ms turns that into failures:");
    await shop.behave("catalogue-2", "hanging");
    const before = await shop.metric("sallyport_upstream_ejections_total");
    const seen = await shop.seen("catalogue-2");
    const slow: number[] = [];
    await shop.until("the ejection", async () => {
      const { status, took } = await shop.ask("/api/products");
      if (status === 504) slow.push(Math.round(took));
      return (await shop.endpoint("catalogue-2"))?.health === "ejected";
    });
    const failed = await shop.seen("catalogue-2");
    shop.say(`  ${slow.length} requests were answered 504, after ${slow.join(", ")} ms; /clusters: ejected`);
    shop.expect(failed.requests - seen.requests === 3, "catalogue-2 is ejected after three of them");
    shop.expect(Math.min(...slow) >= 290, "each waited 300 ms");
    const answers = await shop.askMany(30, "/api/products");
    shop.say(`  the next 30: ${tell(answers.map(({ instance }) => instance))}`);
    shop.expect((await shop.seen("catalogue-2")).requests === failed.requests, "none of the next 30 met it");
    shop.expect((await shop.metric("sallyport_upstream_ejections_total")) === before + 1, "metrics count one ejection");

    shop.say("catalogue-2 recovers, and two seconds after its ejection it is back:");
    await shop.behave("catalogue-2", "well");
    await shop.untilHealth("catalogue-2", "fit");
    const later = await shop.askInTurn(30, "/api/products");
    shop.say(`  ${tell(later.map(({ instance }) => instance))}`);
    shop.expect((count(later.map(({ instance }) => instance))["catalogue-2"] ?? 0) > 0, "it has requests again");
  },
};
