/** Retry budgets: when everything fails, retries are only a part of the load. */
import { tell } from "../client.ts";
import type { Scenario } from "../scenario.ts";

const CLIENTS = 40;

/** What `try.ts retry-budget` runs. */
export const retryBudget: Scenario = {
  title: "when everything fails, retries stay a fifth of the load instead of doubling it",
  async run(shop) {
    shop.say(`all of the catalogue hangs; ${CLIENTS} requests arrive:`);
    await shop.behave("catalogue", "hanging");
    const refused = await shop.metric("sallyport_upstream_retried_requests_total", 'outcome="overflow"');
    const before = await shop.seen("catalogue");
    const answers = shop.askAtOnce(CLIENTS, "/api/products");
    let answered = 0;
    for (const answer of answers)
      void answer.then(
        () => answered++,
        () => answered++,
      );
    await shop.until("all to arrive", async () => (await shop.seen("catalogue")).held === CLIENTS);

    shop.say("the instances answer all of them 503 in the same moment, and go on to hang:");
    await shop.release("catalogue", 503);
    await shop.until("retries or answers", async () => (await shop.seen("catalogue")).held + answered === CLIENTS);
    const { held, requests } = await shop.seen("catalogue");
    const overflow = (await shop.metric("sallyport_upstream_retried_requests_total", 'outcome="overflow"')) - refused;
    shop.say(`  ${held} were sent again, ${answered} got their 503; metrics count ${overflow} that had no budget`);
    shop.expect(held >= 3 && held <= CLIENTS / 5, "retries are at least three, and at most a fifth of the requests");
    shop.expect(requests - before.requests === CLIENTS + held, "the instances saw no more than that");
    shop.expect(overflow === answered, "the others were answered at once with what there was");

    await shop.behave("catalogue", "well");
    const all = await Promise.all(answers);
    shop.say(`the catalogue is well again: ${tell(all.map(({ status }) => status))}`);
    shop.expect(all.filter(({ status }) => status === 200).length === held, "what was sent again succeeded");
  },
};
