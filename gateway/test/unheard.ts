/** What endpoints and owners of fakes have that nobody looks at. */
import type { ConnectionOwner, UpstreamEndpoint } from "../src/cluster/contract.ts";

/** No session, and deaf to how tries end. */
export const UNHEARD: Pick<UpstreamEndpoint, "session" | "noteAnswer" | "noteFailure"> = {
  session: "",
  noteAnswer: () => undefined,
  noteFailure: () => undefined,
};

/** An owner of upstream connections that does not care what becomes of them. */
export const CARELESS: ConnectionOwner = {
  onConnected: () => undefined,
  onIdle: () => undefined,
  onCapacity: () => undefined,
  onDraining: () => undefined,
  onClosed: () => undefined,
};
