/** What endpoints of fakes have that nobody looks at. */
import type { UpstreamEndpoint } from "../src/cluster/contract.ts";

/** No session, and deaf to how tries end. */
export const UNHEARD: Pick<UpstreamEndpoint, "session" | "noteAnswer" | "noteFailure"> = {
  session: "",
  noteAnswer: () => undefined,
  noteFailure: () => undefined,
};
