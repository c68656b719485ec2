// Steady traffic while the served directory is edited several times a second. Every version of the route names itself in
// X-Version and sends even versions to backend a, odd ones to backend b: an answer that mixes two versions is an error.
import { expect, get, noErrors, seconds } from "./common.js";

export const options = {
  scenarios: {
    churn: {
      executor: "constant-arrival-rate",
      rate: 300,
      timeUnit: "1s",
      duration: `${seconds}s`,
      preAllocatedVUs: 50,
      maxVUs: 400,
    },
  },
  thresholds: noErrors,
};

export default function churn() {
  expect(get(`/flip/${__ITER}`, "flip"), "flip", 200, (answer) => {
    const version = Number(answer.headers["X-Version"]);
    return answer.body.startsWith(version % 2 === 0 ? "backend a" : "backend b");
  });
  expect(get(`/products/${__ITER}`, "product"), "product", 200, (answer) => answer.headers["X-Shop"] === "products");
}
