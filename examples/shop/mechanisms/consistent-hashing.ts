/** Consistent hashing: requests that are alike go to the same instance, and few move when one is gone. */
import { tell } from "../client.ts";
import type { Scenario } from "../scenario.ts";
import type { Shop } from "../shop.ts";

const USERS = Array.from({ length: 40 }, (_, index) => `user-${index}`);

/** What `try.ts consistent-hashing` runs. */
export const consistentHashing: Scenario = {
  title: "requests of one user go to one instance; when it fails, only its users move",
  async run(shop) {
    shop.say(`${USERS.length} users, three requests each:`);
    // The first table is made in parts, between requests that still go anywhere.
    await shop.until("the table", async () => isSame(await findHomes(shop), await findHomes(shop)));
    const [home, second, third] = [await findHomes(shop), await findHomes(shop), await findHomes(shop)];
    shop.say(`  users by instance: ${tell([...home.values()])}`);
    shop.expect(new Set(home.values()).size === 3, "all instances have users");
    shop.expect(isSame(home, second) && isSame(home, third), "each user comes to the same instance every time");

    shop.say("catalogue-2 fails, and is ejected:");
    await shop.behave("catalogue-2", "failing");
    const lost = USERS.filter((user) => home.get(user) === "catalogue-2");
    await shop.until("the ejection", async () => {
      await shop.ask("/api/products", { headers: { "x-user": lost[0] ?? "" } });
      return (await shop.endpoint("catalogue-2"))?.health === "ejected";
    });
    const moved = await findHomes(shop);
    shop.say(`  users by instance: ${tell([...moved.values()])}`);
    shop.expect(![...moved.values()].includes("catalogue-2"), "nobody comes to catalogue-2");
    shop.expect(
      USERS.every((user) => lost.includes(user) || moved.get(user) === home.get(user)),
      "all others stay where they were",
    );

    shop.say("a client that is not known:");
    const first = await shop.ask("/api/products");
    const [cookie = ""] = (first.headers["set-cookie"]?.[0] ?? "").split(";");
    const next = await shop.askInTurn(5, "/api/products", { headers: { cookie } });
    shop.say(`  is given the cookie ${cookie}, and comes to ${tell(next.map(({ instance }) => instance))}`);
    shop.expect(cookie.startsWith("shop-affinity="), "it is given a cookie");
    shop.expect(
      next.every(({ instance }) => instance === first.instance),
      "with which it comes back to the same instance",
    );
  },
};

type Homes = ReadonlyMap<string, string | undefined>;

function isSame(homes: Homes, others: Homes): boolean {
  return USERS.every((user) => homes.get(user) === others.get(user));
}

/** Where each user's request is answered. */
async function findHomes(shop: Shop): Promise<Homes> {
  const answers = USERS.map(async (user) => {
    const { instance } = await shop.ask("/api/products", { headers: { "x-user": user } });
    return [user, instance] as const;
  });
  return new Map(await Promise.all(answers));
}
