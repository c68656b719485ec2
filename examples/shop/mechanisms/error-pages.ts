/** Error pages: answers in the place of others. */
import type { Scenario } from "../scenario.ts";

/** What `try.ts error-pages` runs. */
export const errorPages: Scenario = {
  title: "a page of your own in the place of errors, by status and by whose they are",
  async run(shop) {
    shop.say("something that is not there:");
    const missing = await shop.ask("/nothing");
    shop.say(`  ${missing.status} ${missing.headers["content-type"]}: ${missing.text.trim()}`);
    shop.expect(missing.status === 404 && missing.text.includes("no such thing"), "404 has our page");

    shop.say("all of checkout refuses connections:");
    await shop.behave("checkout", "refusing");
    const local = await shop.ask("/api/orders");
    shop.say(`  ${local.status} retry-after ${local.headers["retry-after"]}: ${local.text.trim()}`);
    shop.expect(
      local.status === 503 && local.text.includes("503 Service Unavailable"),
      "what the gateway answers has our page",
    );
    shop.expect(
      local.headers["retry-after"] === "30" && !local.text.includes("%"),
      "with the field, and nothing left open",
    );

    shop.say("all of checkout answers 500 by itself:");
    await shop.behave("checkout", "failing&status=500");
    await shop.until("checkout to be found again", async () => (await shop.ask("/api/orders")).status === 500);
    const theirs = await shop.ask("/api/orders");
    shop.say(`  ${theirs.status} ${theirs.headers["content-type"]}: ${theirs.text.trim()}`);
    shop.expect(theirs.text.includes("told to fail with 500"), "what a service answers stays");
  },
};
