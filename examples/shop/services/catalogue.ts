/** The catalogue: GET /api/products, and one of them by its id. Its instances all know the same. */
import { type Answer, type Question, runService } from "./instance.ts";

const PRODUCTS = [
  { id: "lantern", name: "Watch lantern", price: 39, text: "Burns all night. Seen from the far side of the moat." },
  { id: "rope", name: "Hemp rope, 20 m", price: 18, text: "Holds three, or two in armour." },
  { id: "key", name: "Spare gate key", price: 12, text: "Fits the small door nobody is to know of." },
  { id: "horn", name: "Signal horn", price: 55, text: "One note, two miles." },
  { id: "map", name: "Map of the works", price: 24, text: "Walls, wells and the ways out. Water-proof." },
  { id: "boots", name: "Quiet boots", price: 74, text: "Felt soles, for gravel at night." },
];

await runService("catalogue", () => answer);

function answer({ method, url }: Question): Answer {
  if (method !== "GET" && method !== "HEAD")
    return { status: 405, headers: { allow: "GET, HEAD" }, body: { error: "GET only" } };
  const [, , , id] = url.pathname.split("/");
  if (id === undefined || id === "") return { headers: { "cache-control": "no-store" }, body: PRODUCTS };
  const product = PRODUCTS.find((one) => one.id === id);
  return product === undefined ? { status: 404, body: { error: `no product ${id}` } } : { body: product };
}
