/**
 * Checkout: POST /api/orders makes an order, GET /api/orders tells how many there are. A request with an `idempotency-key` that was
 * seen before gets the order it made then: so it may be sent again when nobody knows what became of it (retry.nonIdempotent).
 * The orders are what the instances share, as they would share a database.
 */
import { type Answer, type Question, runService } from "./instance.ts";

interface Order {
  readonly number: number;
  readonly items: number;
}

const MOST_KEYS = 10_000;
const byKey = new Map<string, Order>();
let orders = 0;

await runService("checkout", () => answer);

function answer({ method, headers, body }: Question): Answer {
  if (method === "GET") return { headers: { "cache-control": "no-store" }, body: { orders } };
  if (method !== "POST") return { status: 405, headers: { allow: "GET, POST" }, body: { error: "GET or POST" } };
  const key = headers["idempotency-key"];
  const known = typeof key === "string" ? byKey.get(key) : undefined;
  if (known !== undefined) return { body: { order: known, repeated: true } };
  const order = { number: ++orders, items: body.split(",").filter((item) => item !== "").length };
  if (typeof key === "string") remember(key, order);
  return { status: 201, body: { order, repeated: false } };
}

function remember(key: string, order: Order): void {
  byKey.set(key, order);
  const [oldest] = byKey.keys();
  if (byKey.size > MOST_KEYS && oldest !== undefined) byKey.delete(oldest);
}
