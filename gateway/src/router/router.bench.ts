/** What finding a route costs, by the number of routes and by what they ask. Strings are fresh, as from a codec. */
import type { Resource } from "@sallyport/model/snapshot";
import { bench } from "@sallyport/testkit/bench";
import { toFleet } from "../../test/compile/fleet.ts";
import { TestCompiler, toCluster, toListener, toRoute, toRule } from "../../test/compile/resources.ts";
import type { RouteInput } from "./contract.ts";

/** Heads in one buffer, each sliced anew, so that no string brings its hash along. */
class FreshInput implements RouteInput {
  readonly method = "GET";
  readonly routeQuery = "";
  host = "";
  routePath = "";
  readonly #bytes: Buffer;
  readonly #ends: readonly number[];

  constructor(requests: readonly (readonly [host: string, path: string])[]) {
    this.#bytes = Buffer.from(requests.flat().join(""), "latin1");
    let end = 0;
    this.#ends = requests.flat().map((text) => (end += text.length));
  }

  read(request: number): void {
    const from = this.#ends[request * 2 - 1] ?? 0;
    const middle = this.#ends[request * 2] ?? 0;
    this.host = this.#bytes.toString("latin1", from, middle);
    this.routePath = this.#bytes.toString("latin1", middle, this.#ends[request * 2 + 1] ?? 0);
  }

  header(name: string): string | undefined {
    return name === "version" ? "two" : undefined;
  }
}

const REQUESTS = 1024;

function measure(name: string, resources: readonly Resource[], toTarget: (request: number) => [string, string]): void {
  const bind = new TestCompiler().activate(resources).binds.get("0.0.0.0:8080");
  const input = new FreshInput(Array.from({ length: REQUESTS }, (_, request) => toTarget(request)));
  bench(name, (iterations) => {
    let found = 0;
    for (let i = 0; i < iterations; i++) {
      input.read(i % REQUESTS);
      if (bind?.route(input)?.rule !== undefined) found++;
    }
    if (found !== iterations) throw new Error(`${name}: ${found} of ${iterations} requests found a route`);
    return found;
  });
}

const FAR = 7919;
measure("1 route", toFleet(1, 1), () => ["host-0.example.com", "/path-0/some/file.html"]);
measure("10 000 routes on 1000 hosts", toFleet(10_000, 1000), (request) => {
  const number = (request * FAR) % 10_000;
  return [`host-${number % 1000}.example.com`, `/path-${number}/some/file.html`];
});
measure("10 000 routes on 1 host", toFleet(10_000, 1), (request) => [
  "host-0.example.com",
  `/path-${(request * FAR) % 10_000}/some/file.html`,
]);

const attachments = [{ listener: "ns/gateway/http", hostnames: ["*.example.com"] }];
const withHeaders = toRule("/", "ns/web:80", {
  matches: ["one", "two"].map((value) => ({
    path: { kind: "prefix", value: "/" },
    headers: [{ name: "version", kind: "exact", value }],
    query: [],
  })),
});
measure(
  "a wildcard host, two header conditions",
  [toListener("http"), toCluster("ns/web:80"), toRoute("web", [withHeaders], { attachments })],
  () => ["www.example.com", "/some/file.html"],
);
const withPatterns = toRule("/", "ns/web:80", {
  matches: ["/api/v[0-9]+/.*", "/static/.*", "/users/[a-z]+/posts"].map((value) => ({
    path: { kind: "regex", value },
    headers: [],
    query: [],
  })),
});
measure(
  "the last of three patterns",
  [toListener("http"), toCluster("ns/web:80"), toRoute("web", [withPatterns])],
  () => ["www.example.com", "/users/anna/posts"],
);
