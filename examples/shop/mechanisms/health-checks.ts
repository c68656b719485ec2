/** Health checks: instances are asked, and one that is not well is left out before a client meets it. */
import { count, tell } from "../client.ts";
import type { Scenario } from "../scenario.ts";

/** What `try.ts health-checks` runs. */
export const healthChecks: Scenario = {
  title: "instances are asked how they are; who is not well is left out before a client meets it",
  async run(shop) {
    for (const instance of ["catalogue-1", "catalogue-2", "catalogue-3"]) await shop.untilHealth(instance, "fit");
    shop.say("catalogue-2 fails its health check, twice in a row:");
    await shop.behave("catalogue-2", "unwell");
    await shop.untilHealth("catalogue-2", "unhealthy");
    const answers = await shop.askInTurn(30, "/api/products");
    shop.say(`  /clusters: unhealthy; 30 requests: ${tell(answers.map(({ instance }) => instance))}`);
    shop.expect(
      count(answers.map(({ instance }) => instance))["catalogue-2"] === undefined,
      "none went to catalogue-2",
    );
    shop.expect(
      (await shop.metric("sallyport_upstream_endpoints_unhealthy")) === 1,
      "metrics count one that is unhealthy",
    );
    shop.expect(
      (await shop.metric("sallyport_upstream_health_checks_total", 'outcome="failed"')) >= 2,
      "and two checks that failed",
    );

    shop.say("catalogue-3 refuses connections, catalogue-2 is well again:");
    await shop.behave("catalogue-3", "refusing");
    await shop.behave("catalogue-2", "well");
    await shop.untilHealth("catalogue-3", "unhealthy");
    await shop.untilHealth("catalogue-2", "fit");
    const later = await shop.askInTurn(30, "/api/products");
    shop.say(`  ${tell(later.map(({ instance }) => instance))}`);
    shop.expect(
      later.every(({ status }) => status === 200),
      "all were answered",
    );
    shop.expect(
      Object.keys(count(later.map(({ instance }) => instance))).join() === "catalogue-1,catalogue-2",
      "by those two that are well",
    );
  },
};
