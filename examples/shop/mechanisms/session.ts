/** Session persistence: a client comes back to the instance that answered it first. */
import { count, tell } from "../client.ts";
import type { Scenario } from "../scenario.ts";
import type { Shop } from "../shop.ts";

/** What `try.ts session` runs. */
export const session: Scenario = {
  title: "a client comes back to the instance that answered it first, by a cookie or a header field",
  async run(shop) {
    await showCarts(shop);
    await showHeaders(shop);
  },
};

async function showCarts(shop: Shop): Promise<void> {
  shop.say("20 clients without cookies look at their cart:");
  const strangers = await shop.askInTurn(20, "/api/cart");
  shop.say(`  ${tell(strangers.map(({ instance }) => instance))}`);
  shop.expect(
    Object.keys(count(strangers.map(({ instance }) => instance))).length === 2,
    "they come to both instances",
  );

  shop.say("a client with its cookies puts five things into its cart, which one instance keeps in memory:");
  let cookie = "";
  const visited: (string | undefined)[] = [];
  let items = "";
  for (const product of ["rope", "key", "horn", "map", "boots"]) {
    const answer = await shop.ask(`/api/cart?product=${product}`, { method: "POST", headers: { cookie } });
    const fields = answer.headers["set-cookie"] ?? [];
    if (fields.length > 1 || cookie === "") cookie = fields.map((field) => field.split(";")[0]).join("; ");
    visited.push(answer.instance);
    items = answer.text;
  }
  shop.say(`  ${tell(visited)}; the cart: ${items.trim()}`);
  shop.expect(new Set(visited).size === 1, "all came to the same instance");
  shop.expect(items.includes('["rope","key","horn","map","boots"]'), "and nothing of the cart is lost");
}

async function showHeaders(shop: Shop): Promise<void> {
  shop.say("a client of the catalogue keeps x-shop-session:");
  const first = await shop.ask("/api/products");
  const value = String(first.headers["x-shop-session"] ?? "");
  const headers = { "x-shop-session": value };
  const later = await shop.askInTurn(10, "/api/products", { headers });
  shop.say(`  ${value}: ${tell(later.map(({ instance }) => instance))}`);
  shop.expect(value !== "" && later.every(({ instance }) => instance === first.instance), "it stays with its instance");

  shop.say(`${first.instance} is taken out of the Service; the client asks on:`);
  await shop.edit("services.yaml", (text) =>
    text.replace(new RegExp(`ready: true(.*${first.instance})`), "ready: false$1"),
  );
  const moved = await shop.ask("/api/products", { headers });
  shop.say(`  ${moved.instance} answers, with the new session ${String(moved.headers["x-shop-session"])}`);
  shop.expect(moved.status === 200 && moved.instance !== first.instance, "another instance answers");
  shop.expect((moved.headers["x-shop-session"] ?? value) !== value, "and the client has a session there");
}
