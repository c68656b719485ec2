// A calm rate, then thirty times as many requests within two seconds, and back: nobody may be turned away.
import { expect, get, noErrors, seconds } from "./common.js";

export const options = {
  scenarios: {
    spike: {
      executor: "ramping-arrival-rate",
      startRate: 50,
      timeUnit: "1s",
      preAllocatedVUs: 200,
      maxVUs: 1000,
      stages: [
        { target: 50, duration: `${Math.ceil(seconds / 4)}s` },
        { target: 1500, duration: "2s" },
        { target: 1500, duration: `${Math.ceil(seconds / 2)}s` },
        { target: 50, duration: "1s" },
        { target: 50, duration: `${Math.ceil(seconds / 4)}s` },
      ],
    },
  },
  thresholds: noErrors,
};

export default function spike() {
  expect(get(`/products/${__ITER}`, "product"), "product", 200, (answer) => answer.headers["X-Shop"] === "products");
}
