/** The endpoints of a cluster that is given by host names: the union of what they resolve to. */
import type { Discovery } from "@sallyport/model/cluster";
import type { Endpoint } from "@sallyport/model/endpoint";
import type { ClusterTableOptions } from "../contract.ts";
import type { Absence } from "../waiting-requests.ts";
import type { LeftOutAddress } from "./left-out.ts";
import { type NameState, NameWatch } from "./name-watch.ts";

/** What discovery stands on, and who is told. */
export type DnsDiscoveryOptions = Pick<ClusterTableOptions, "resolver" | "schedule" | "random"> & {
  readonly discovery: Extract<Discovery, { kind: "dns" }>;
  /** Endpoints, and what their absence means to requests. */
  readonly onEndpoints: (endpoints: readonly Endpoint[], absence: Absence) => void;
  readonly onNameState: (hostname: string, state: Exclude<NameState, "unknown">) => void;
  readonly countLeftOut: (count: number) => void;
  readonly onLeftOut: (hostname: string, leftOut: readonly LeftOutAddress[]) => void;
};

/** Watches the names of one cluster until closed. */
export class DnsDiscovery {
  readonly #options: DnsDiscoveryOptions;
  readonly #watches: readonly { readonly watch: NameWatch; readonly port: number }[];

  constructor(options: DnsDiscoveryOptions) {
    this.#options = options;
    const { names, family, refresh, addresses } = options.discovery;
    this.#watches = names.map(({ hostname, port }) => {
      const onChange = (): void => this.#onChange(watch);
      const onLeftOut = (leftOut: readonly LeftOutAddress[]): void => options.onLeftOut(hostname, leftOut);
      const watchOptions = { ...options, family, refresh, addresses, onChange, onLeftOut };
      const watch: NameWatch = new NameWatch(hostname, watchOptions);
      return { watch, port };
    });
  }

  close(): void {
    for (const { watch } of this.#watches) watch.close();
  }

  #onChange(changed: NameWatch): void {
    const endpoints = this.#watches.flatMap(({ watch, port }) =>
      watch.addresses.map((address): Endpoint => ({ address, port, weight: 1, state: "ready" })),
    );
    const isWaiting = this.#watches.some(({ watch }) => watch.state === "unknown");
    this.#options.onEndpoints(endpoints, isWaiting ? "unknown" : "dns-failure");
    if (changed.state !== "unknown") this.#options.onNameState(changed.hostname, changed.state);
  }
}
