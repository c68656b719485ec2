/** The shop works, its page finds all it asks for, and every mechanism does what its documentation says. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { SCENARIOS } from "./scenarios.ts";
import { Shop } from "./shop.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

let shop: Shop;
let steps: string[] = [];

before(async () => {
  shop = await Shop.open((text) => steps.push(text));
});
after(() => shop.close());

test("the page and every path that it asks for are answered through the gateway", async () => {
  const page = await shop.ask("/");
  assert.equal(page.text, readFileSync(`${here}services/page.html`, "utf8"));
  const paths = [...new Set([...page.text.matchAll(/["'`](\/api\/[a-z/]*)/g)].map(([, path]) => path ?? ""))];
  assert.deepEqual(paths.toSorted(), ["/api/cart", "/api/orders", "/api/products"]);
  for (const path of paths) {
    const { status, instance, headers } = await shop.ask(path);
    assert.equal(status, 200, path);
    assert.match(instance ?? "", /^(catalogue|cart|checkout)-[123]$/);
    assert.match(String(headers["x-request-id"]), /^[0-9a-f-]{36}$/);
  }
  assert.equal((await shop.ask("/api/cart?product=rope", { method: "POST" })).text, '{"items":["rope"]}\n');
  assert.equal((await shop.ask("/api/orders", { method: "POST", body: "rope" })).status, 201);
});

test("the page loads nothing from elsewhere", async () => {
  const { text, headers } = await shop.ask("/");
  assert.doesNotMatch(text, /(?:src|href)=["'](?!data:)/);
  assert.match(String(headers["content-security-policy"]), /default-src 'self'/);
});

test("nothing leads to the back doors", async () => {
  for (const path of ["/behave?be=hanging", "/-/behave?be=hanging", "/release"])
    assert.equal((await shop.ask(path, { method: "POST" })).status, 404, path);
});

test("every mechanism has objects and a scenario", () => {
  const files = readdirSync(`${here}mechanisms`).toSorted();
  const expected = Object.keys(SCENARIOS).flatMap((name) => [`${name}.ts`, `${name}.yaml`]);
  assert.deepEqual(files, expected.toSorted());
});

for (const [name, { title, run }] of Object.entries(SCENARIOS))
  test(`${name}: ${title}`, async () => {
    steps = [];
    try {
      await shop.add(name);
      await run(shop);
    } catch (error) {
      throw new Error(steps.join("\n"), { cause: error });
    } finally {
      await shop.remove(name);
    }
  });

test("the gateway has nothing to say about any of the objects", () => assert.deepEqual(shop.problems(), []));
