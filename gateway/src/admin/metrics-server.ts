/** What machines ask from outside: /metrics for Prometheus, /ready and /healthz for Kubernetes. Tells nothing of the configuration. */
import type { HostPort } from "../workers/contract.ts";
import { openOperatorServer, toJsonReply, toTextReply } from "./http.ts";
import type { OperatorRequest } from "./operator-request.ts";
import type { OperatorReply, OperatorServer } from "./http.ts";
import { toReadiness } from "./server.ts";
import type { AdminSource } from "./source.ts";

/** The part of the gateway this server shows. */
export type MetricsSource = Pick<AdminSource, "metrics" | "stage" | "exposition">;

/** Opens it; rejects with the error of listen(). */
export function openMetricsServer(
  place: HostPort,
  source: MetricsSource,
  onError: (error: unknown) => void,
): Promise<OperatorServer> {
  return openOperatorServer({ ...place, answer: (request) => route(request, source), onError });
}

async function route({ method, path }: OperatorRequest, source: MetricsSource): Promise<OperatorReply> {
  if (method !== "GET") return { ...toJsonReply(405, { error: "the method must be GET" }), headers: { allow: "GET" } };
  switch (path) {
    case "/metrics": {
      const exposition = await source.exposition();
      return { status: 200, type: exposition.contentType, body: await exposition.text() };
    }
    case "/ready":
      return toReadiness(source);
    case "/healthz":
      return toTextReply(200, "ok\n");
    default:
      return toTextReply(404, "there are /metrics, /ready and /healthz\n");
  }
}
