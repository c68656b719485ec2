/** The smallest cluster that leases endpoints, for who makes its connections itself. */
import type { FaultReason } from "@sallyport/model/fault";
import type { EndpointLease, EndpointRequest, UpstreamCluster, UpstreamEndpoint } from "../../src/cluster/contract.ts";
import { FreeRetries } from "../free-retries.ts";
import { UNHEARD } from "../unheard.ts";

/** An endpoint whose state the test changes. */
export type TestEndpoint = { -readonly [name in keyof UpstreamEndpoint]: UpstreamEndpoint[name] };

/** Hands out endpoints in turn, and knows what is leased. */
export class LeasingCluster implements UpstreamCluster {
  readonly key: string;
  readonly retries = new FreeRetries();
  readonly endpoints: TestEndpoint[];
  readonly leased: TestEndpoint[] = [];
  /** What each request wanted to avoid. */
  readonly avoided: (string | undefined)[] = [];
  /** What endpoints were told, with their port, in order. */
  readonly notes: [port: number, note: number | FaultReason][] = [];
  /** Leases that were not released. */
  open = 0;
  cancelled = 0;
  refuseWith: FaultReason | undefined = undefined;
  /** Requests wait until serve(). */
  hold = false;
  /** What leases say beside their endpoint. */
  terms: Partial<EndpointLease> = {};
  /** Called when the connection to a leased endpoint has begun, and cannot be up. */
  onDialled: (() => void) | undefined = undefined;
  #waiting: EndpointRequest[] = [];

  constructor(key: string, ...ports: number[]) {
    this.key = key;
    this.endpoints = ports.map((port) => toEndpoint(port));
  }

  add(port: number, address?: string): void {
    this.endpoints.push(toEndpoint(port, address));
  }

  remove(port: number): void {
    for (const endpoint of this.endpoints) if (endpoint.port === port) endpoint.state = "removed";
  }

  acquire(): never {
    throw new Error("streams make their connections themselves");
  }

  lease(request: EndpointRequest, avoid?: UpstreamEndpoint): void {
    if (this.hold) {
      this.#waiting.push(request);
      return;
    }
    this.avoided.push(avoid?.label);
    const others = this.endpoints.filter((one) => one !== avoid && one.state !== "removed");
    const endpoint = others.find((one) => !this.leased.includes(one)) ?? others[0] ?? this.endpoints[0];
    if (this.refuseWith !== undefined || endpoint === undefined) request.refuse(this.refuseWith ?? "no-endpoints");
    else this.#assign(request, endpoint);
  }

  serves(): boolean {
    return false;
  }

  cancel(request: unknown): void {
    this.cancelled++;
    this.#waiting = this.#waiting.filter((one) => one !== request);
  }

  /** Lets those who wait have their lease. */
  serve(): void {
    this.hold = false;
    for (const request of this.#waiting.splice(0)) this.lease(request);
  }

  #assign(request: EndpointRequest, endpoint: TestEndpoint): void {
    this.leased.push(endpoint);
    endpoint.noteAnswer = (status) => void this.notes.push([endpoint.port, status]);
    endpoint.noteFailure = (reason) => void this.notes.push([endpoint.port, reason]);
    this.open++;
    let released = false;
    request.assign({
      endpoint,
      connectTimeout: 5000,
      tls: undefined,
      proxyProtocol: undefined,
      ...this.terms,
      release: () => {
        if (released) throw new Error("released twice");
        released = true;
        this.open--;
      },
    });
    this.onDialled?.();
  }
}

/** An endpoint on loopback. */
function toEndpoint(port: number, address = "127.0.0.1"): TestEndpoint {
  const host = address.includes(":") ? `[${address}]` : address;
  return { address, port, label: `${host}:${port}`, state: "ready", active: () => 0, ...UNHEARD };
}
