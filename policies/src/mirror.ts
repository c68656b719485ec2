/** Mirroring: a share of the requests is also sent to another cluster (Gateway API HTTPRequestMirrorFilter). */
import type { MirrorPolicy } from "@sallyport/model/policy";
import type { Capabilities, Filter } from "./filter.ts";
import { compileShare } from "./share.ts";

/** Asks the exchange for a copy; the exchange sends it once all request phases are done. */
export function compileMirror(policy: MirrorPolicy, capabilities: Capabilities): Filter {
  const sampled = compileShare(policy.share, () => capabilities.random());
  const { cluster } = policy;
  return {
    // Asking for the copy is an effect: it must happen for every request, also for one whose head was seen before.
    deterministic: false,
    onRequest(request) {
      if (sampled()) request.mirrorTo(cluster);
      return undefined;
    },
  };
}
