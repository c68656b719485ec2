/** Many routes over many hosts, for benchmarks and for tests of size. */
import type { Resource } from "@sallyport/model/snapshot";
import { toCluster, toEndpoints, toListener, toRoute, toRule } from "./resources.ts";

/** Resources for so many routes, spread over the hosts `host-N.example.com`; each route has one prefix and one cluster. */
export function toFleet(routes: number, hosts: number): Resource[] {
  const resources: Resource[] = [toListener("http")];
  for (let number = 0; number < routes; number++) {
    const cluster = `ns/service-${number}:80`;
    const hostnames = [`host-${number % hosts}.example.com`];
    resources.push(
      toCluster(cluster),
      toEndpoints(cluster, 1),
      toRoute(`route-${number}`, [toRule(`/path-${number}`, cluster)], {
        attachments: [{ listener: "ns/gateway/http", hostnames }],
      }),
    );
  }
  return resources;
}
