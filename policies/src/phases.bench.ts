/** What filters cost a request: the loop over them, and each of the common ones. */
import type { Policy } from "@sallyport/model/policy";
import { bench } from "@sallyport/testkit/bench";
import { TestCapabilities, TestResponse, toRequest } from "../test/views.ts";
import type { Filter, Verdict } from "./filter.ts";
import { compilePolicy } from "./registry.ts";

const request = toRequest(
  { path: "/a/b?c=d", matchedPrefix: "/a" },
  { origin: "https://a.test", "user-agent": "bench" },
);
const response = new TestResponse({ "content-type": "text/plain" });

/** The request phase as the exchange runs it: awaits nothing unless a filter returned a promise. */
function run(filters: readonly Filter[]): Verdict | Promise<Verdict> {
  for (const filter of filters) {
    const verdict = filter.onRequest?.(request);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

const nothing: Filter[] = Array.from({ length: 6 }, () => ({ deterministic: true, onRequest: () => undefined }));
bench("six filters that do nothing", (iterations) => {
  let replies = 0;
  for (let i = 0; i < iterations; i++) if (run(nothing) !== undefined) replies++;
  return replies;
});

const POLICIES: readonly Policy[] = [
  { kind: "rewrite", path: { kind: "prefix", value: "/x" } },
  { kind: "redirect", status: 302, scheme: "https", path: { kind: "prefix", value: "/x" } },
  {
    kind: "cors",
    allowOrigins: ["https://a.test"],
    allowMethods: ["GET"],
    allowHeaders: [],
    exposeHeaders: [],
    allowCredentials: true,
    maxAgeSeconds: 5,
  },
];

for (const policy of POLICIES) {
  const filter = compilePolicy(policy, new TestCapabilities());
  bench(`${policy.kind}, both phases`, (iterations) => {
    let replies = 0;
    for (let i = 0; i < iterations; i++) {
      request.path = "/a/b?c=d";
      if (filter.onRequest?.(request) !== undefined) replies++;
      filter.onResponse?.(response, request);
    }
    return replies;
  });
}
