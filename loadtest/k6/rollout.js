// Steady traffic to a Gateway's LoadBalancer address while pods behind and before it are replaced: not one request may be lost.
import { check } from "k6";
import http from "k6/http";

const seconds = Number(__ENV.SECONDS);

export const options = {
  scenarios: {
    steady: {
      executor: "constant-arrival-rate",
      rate: Number(__ENV.RATE),
      timeUnit: "1s",
      duration: `${seconds}s`,
      preAllocatedVUs: 100,
      maxVUs: 400,
    },
  },
  thresholds: {
    http_req_failed: ["rate==0"],
    checks: ["rate==1"],
    http_req_duration: [`p(95)<${__ENV.P95}`],
  },
  summaryTrendStats: ["med", "p(95)", "p(99)", "max"],
};

/** A GET, and every fourth time a POST with a body: those cannot be tried again by anybody. */
export default function request() {
  const params = { headers: { Host: "rollout.test" }, tags: { name: "echo" } };
  const url = `${__ENV.TARGET}/vu/${__VU}/${__ITER}`;
  const response = __ITER % 4 === 3 ? http.post(url, "x".repeat(2048), params) : http.get(url, params);
  check(response, {
    "is of the backend": (answer) => answer.status === 200 && answer.json("namespace") === "rollout",
  });
}
