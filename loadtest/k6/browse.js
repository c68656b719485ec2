// Visitors who look at a few pages: new sessions arrive at a fixed rate, however fast they are served.
import { sleep } from "k6";
import { expect, get, noErrors, post, seconds } from "./common.js";

export const options = {
  scenarios: {
    browse: {
      executor: "constant-arrival-rate",
      rate: 40,
      timeUnit: "1s",
      duration: `${seconds}s`,
      preAllocatedVUs: 40,
      maxVUs: 400,
    },
  },
  thresholds: noErrors,
};

export default function browse() {
  const headers = { Cookie: `session=${__VU}-${__ITER}; theme=dark`, "Accept-Language": "en" };
  expect(get("/", "home", headers), "home", 200, (answer) => answer.body.startsWith("backend a"));
  for (let page = 0; page < 3; page++) {
    const path = `/products/${(__ITER * 7 + page) % 1000}?from=home&page=${page}`;
    expect(get(path, "product", headers), "product", 200, (answer) => answer.headers["X-Shop"] === "products");
    sleep(0.05);
  }
  expect(get("/10k", "asset", headers), "asset", 200, (answer) => answer.body.length === 10240);
  expect(post("/cart", "cart", { item: String(__ITER), note: "x".repeat(1024) }), "cart", 200);
  expect(get("/old/page", "moved", headers), "moved", 302, (answer) => answer.headers["Location"].endsWith("/new"));
}
