/**
 * Carts: GET /api/cart, POST /api/cart?product=ID adds one, DELETE empties it. Each instance keeps carts in its own memory: a client
 * that comes to another instance finds an empty one. So the route to it needs session persistence.
 */
import { randomUUID } from "node:crypto";
import { type Answer, runService } from "./instance.ts";

const COOKIE = "shop-cart";
const MOST_CARTS = 10_000;
const MOST_ITEMS = 100;

await runService("cart", () => {
  const carts = new Map<string, string[]>();
  return ({ method, url, headers }): Answer => {
    const id = readCookie(headers.cookie) ?? randomUUID();
    const items = carts.get(id) ?? [];
    if (method === "POST") {
      const product = url.searchParams.get("product");
      if (product === null || !/^[a-z]{1,40}$/.test(product))
        return { status: 400, body: { error: "product= is missing" } };
      if (items.length === MOST_ITEMS) return { status: 409, body: { error: "the cart is full" } };
      items.push(product);
      carts.set(id, items);
      forgetOldest(carts);
    }
    if (method === "DELETE") carts.delete(id);
    return {
      headers: { "cache-control": "no-store", "set-cookie": `${COOKIE}=${id}; Path=/api/cart; HttpOnly; SameSite=Lax` },
      body: { items: method === "DELETE" ? [] : items },
    };
  };
});

function readCookie(header: string | undefined): string | undefined {
  return /(?:^|; )shop-cart=([0-9a-f-]{36})(?:;|$)/.exec(header ?? "")?.[1];
}

function forgetOldest(carts: Map<string, string[]>): void {
  const [oldest] = carts.keys();
  if (carts.size > MOST_CARTS && oldest !== undefined) carts.delete(oldest);
}
