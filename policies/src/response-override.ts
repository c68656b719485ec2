/** Replaces answers of certain statuses: custom error pages. Calls of gRPC carry their status elsewhere and are left alone. */
import type { ResponseOverridePolicy } from "@sallyport/model/policy";
import type { Capabilities, Filter, RequestView, ResponseView } from "./filter.ts";
import { toLatin1Value } from "./latin1-value.ts";
import type { CompiledPage } from "./page.ts";

/** Compiles the policy. */
export function compileResponseOverride(policy: ResponseOverridePolicy, capabilities: Capabilities): Filter {
  const overrides = policy.overrides.map((override) => compileOverride(override, capabilities));
  return {
    deterministic: true,
    concerns: (request) => !request.isGrpc && request.method !== "CONNECT",
    onResponse(response, request) {
      // 101: the bytes that follow are no answer
      if (response.status < 200) return;
      for (const override of overrides) if (override(response, request)) return;
    },
  };
}

type ConfiguredOverride = ResponseOverridePolicy["overrides"][number];

/** Replaces the answer if it is one of its own. */
function compileOverride(
  configured: ConfiguredOverride,
  capabilities: Capabilities,
): (response: ResponseView, request: RequestView) => boolean {
  const { statuses, source, status: fixed } = configured;
  const headers = configured.headers.map(({ name, value }) => [name, toLatin1Value(value)] as const);
  const page = configured.page === undefined ? undefined : capabilities.page(configured.page);
  return (response, request) => {
    const { status } = response;
    if (source !== "any" && source !== response.source) return false;
    if (!statuses.some(({ from, to }) => from <= status && status <= to)) return false;
    replace(response, request, fixed ?? status, page);
    for (const [name, value] of headers) response.setHeader(name, value);
    return true;
  };
}

function replace(response: ResponseView, request: RequestView, status: number, page: CompiledPage | undefined): void {
  if (page === undefined) {
    if (status !== response.status) response.replace({ status });
    return;
  }
  // the page tells the status that is sent, whose phrase is known once it is set
  if (status !== response.status) response.replace({ status });
  const text = page.render({ status: String(status), reason: response.reason, requestId: request.requestId });
  response.replace({ status, body: { contentType: page.contentType, text } });
}
