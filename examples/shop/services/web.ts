/** The web page of the shop. All that it loads is in page.html; what it asks for are the other services, by the same origin. */
import { readFileSync } from "node:fs";
import { type Answer, type Question, runService } from "./instance.ts";

const page = readFileSync(new URL("./page.html", import.meta.url), "utf8");
const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-cache",
  "content-security-policy": "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:",
  "x-content-type-options": "nosniff",
};

await runService("web", () => answer);

function answer({ url }: Question): Answer {
  if (url.pathname !== "/") return { status: 404, body: "There is no such page.\n" };
  return { headers: HEADERS, body: page };
}
