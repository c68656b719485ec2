/** The endpoint as checks see it: on their own port, and without anything counted on it. */
import { toHostPort } from "@sallyport/model/listener";
import type { UpstreamEndpoint } from "../cluster/contract.ts";
import type { ProbeOptions } from "../cluster/health/contract.ts";

/** What is connected to. */
export function toTarget({ address, port }: Pick<ProbeOptions, "address" | "port">): UpstreamEndpoint {
  return {
    address,
    port,
    label: toHostPort({ address, port }),
    session: "",
    active: () => 0,
    noteAnswer: () => undefined,
    noteFailure: () => undefined,
  };
}
