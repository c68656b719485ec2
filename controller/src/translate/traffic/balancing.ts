/** The fields `loadBalancer` and `locality` of a policy. */
import type { Balancer, HashKey, LocalityBalancing, SlowStart } from "@sallyport/model/traffic";
import type {
  BackendTrafficPolicyConsistentHash,
  BackendTrafficPolicyHashKey,
  BackendTrafficPolicyLoadBalancer,
  BackendTrafficPolicyLocality,
  BackendTrafficPolicySlowStart,
} from "../../kube/generated/types/backend-traffic-policy.ts";
import { findUnknownLabels, tellKnownLabels } from "./place-labels.ts";
import type { FieldSettings } from "./settings.ts";
import type { ValueReader } from "./values.ts";

/** Translates `spec.loadBalancer`. */
export function translateLoadBalancer(
  spec: BackendTrafficPolicyLoadBalancer,
  path: string,
  read: ValueReader,
): FieldSettings {
  const balancer = toBalancer(spec, path, read);
  return balancer === undefined ? {} : { cluster: { balancer } };
}

function toBalancer(
  { type, leastRequest, roundRobin, consistentHash }: BackendTrafficPolicyLoadBalancer,
  path: string,
  read: ValueReader,
): Balancer | undefined {
  switch (type) {
    case "LeastRequest":
      return {
        kind: "least-request",
        ...(leastRequest === undefined ? {} : { choices: leastRequest.choices }),
        ...toSlowStart(leastRequest?.slowStart, `${path}.leastRequest.slowStart`, read),
      };
    case "RoundRobin":
      return { kind: "round-robin", ...toSlowStart(roundRobin?.slowStart, `${path}.roundRobin.slowStart`, read) };
    case "Random":
      return { kind: "random" };
    case "ConsistentHash":
      return consistentHash && toHashBalancer(consistentHash, `${path}.consistentHash`, read);
  }
}

function toSlowStart(
  slowStart: BackendTrafficPolicySlowStart | undefined,
  path: string,
  read: ValueReader,
): { readonly slowStart?: SlowStart } {
  const window = read.span(slowStart?.window, `${path}.window`);
  if (slowStart === undefined || window === undefined) return {};
  const { aggression, minimumPercent } = slowStart;
  return { slowStart: { window, aggression, minimumPercent } };
}

const RING = { minimumSize: 1024, maximumSize: 8_388_608 };
const TABLE = { tableSize: 65_537 };

function toHashBalancer(
  { algorithm, ringHash = RING, maglev = TABLE, keys }: BackendTrafficPolicyConsistentHash,
  path: string,
  read: ValueReader,
): Balancer {
  const hashKeys = keys.flatMap((key, index) => toHashKey(key, `${path}.keys[${index}]`, read));
  if (algorithm === "RingHash") {
    const { minimumSize, maximumSize } = ringHash;
    return { kind: "ring-hash", keys: hashKeys, minimumSize, maximumSize };
  }
  const { tableSize } = maglev;
  if (isPrime(tableSize)) return { kind: "maglev", keys: hashKeys, tableSize };
  const hint = `the next prime is ${nextPrime(tableSize)}`;
  read.refuse(`${path}.maglev.tableSize`, `${tableSize} is no prime number, as the table needs`, hint);
  return { kind: "maglev", keys: hashKeys, ...TABLE };
}

function toHashKey(
  { type, name = "", cookie }: BackendTrafficPolicyHashKey,
  path: string,
  read: ValueReader,
): HashKey[] {
  switch (type) {
    case "Header":
      return [{ kind: "header", name: name.toLowerCase() }];
    case "QueryParameter":
      return [{ kind: "query", name }];
    case "SourceAddress":
      return [{ kind: "source-address" }];
    case "Cookie": {
      const lifetime = read.milliseconds(cookie?.ttl, `${path}.cookie.ttl`);
      if (cookie === undefined || lifetime === undefined) return [{ kind: "cookie", name }];
      const attributes = cookie.attributes?.map((each) => ({
        name: each.name,
        ...(each.value === undefined ? {} : { value: each.value }),
      }));
      return [
        { kind: "cookie", name, lifetime, path: cookie.path, ...(attributes === undefined ? {} : { attributes }) },
      ];
    }
  }
}

function nextPrime(number: number): number {
  let candidate = number + 1;
  while (!isPrime(candidate)) candidate++;
  return candidate;
}

function isPrime(number: number): boolean {
  if (number < 2) return false;
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return true;
}

/** Translates `spec.locality`. */
export function translateLocality(
  { distribute = [], failover = [], priorities = [], zoneAware, overprovisioningPercent }: BackendTrafficPolicyLocality,
  path: string,
  read: ValueReader,
): FieldSettings {
  const shares = distribute.filter(({ to }, index) => {
    if (Object.values(to).some((weight) => weight > 0)) return true;
    read.refuse(`${path}.distribute[${index}].to`, "all weights are 0, so that no endpoint would have any request");
    return false;
  });
  const unknown = findUnknownLabels(priorities);
  for (const priority of unknown) {
    const place = `${path}.priorities[${priorities.indexOf(priority)}]`;
    const message = `${JSON.stringify(priority)} names a label that is not known of endpoints`;
    read.refuse(place, message, `name one of ${tellKnownLabels()}`);
  }
  const locality: LocalityBalancing = {
    // In one order, whatever that of the object is.
    distribute: shares.map(({ from, to }) => ({
      from,
      to: Object.keys(to)
        .toSorted()
        .map((place) => ({ locality: place, weight: to[place] ?? 0 })),
    })),
    failover: failover.map(({ from, to }) => ({ from, to })),
    priorities: priorities.filter((priority) => !unknown.includes(priority)),
    ...(zoneAware === undefined ? {} : { zoneAware: { minimumEndpoints: zoneAware.minimumEndpoints } }),
    overprovisioning: overprovisioningPercent,
  };
  return { cluster: { locality } };
}
