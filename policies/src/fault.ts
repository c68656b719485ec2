/** Fault injection: delays or aborts a share of the requests on purpose (Istio HTTPFaultInjection). */
import type { FaultPolicy } from "@sallyport/model/policy";
import type { Capabilities, Filter, LocalReply, RequestView, Verdict } from "./filter.ts";
import { compileShare } from "./share.ts";

/** The delay comes first; whether the request is aborted is drawn independently (Envoy's fault filter does the same). */
export function compileFault(policy: FaultPolicy, capabilities: Capabilities): Filter {
  const abort = compileAbort(policy.abort, capabilities);
  const { delay } = policy;
  if (delay === undefined || delay.milliseconds <= 0) return { deterministic: false, onRequest: abort };
  const sampled = compileShare(delay.share, () => capabilities.random());
  const { milliseconds } = delay;
  return {
    deterministic: false,
    onRequest(request) {
      return sampled() ? delayed(request, capabilities.delay(milliseconds), abort) : abort();
    },
  };
}

async function delayed(request: RequestView, delay: Promise<void>, abort: () => Verdict): Promise<Verdict> {
  request.setFlag("DI");
  await delay;
  return abort();
}

function compileAbort(abort: FaultPolicy["abort"], capabilities: Capabilities): () => Verdict {
  if (abort === undefined) return () => undefined;
  const sampled = compileShare(abort.share, () => capabilities.random());
  const reply: LocalReply = {
    status: abort.status,
    headers: [["content-type", "text/plain"]],
    body: "aborted on purpose (fault injection)\n",
    grpcStatus: abort.grpcStatus,
    flag: "FI",
  };
  return () => (sampled() ? reply : undefined);
}
