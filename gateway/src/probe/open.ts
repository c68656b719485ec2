/** Checks of the health of endpoints, over the connections, the TLS and the codecs that requests have. */
import { toHostPort } from "@sallyport/model/listener";
import type { OpenProbe, ProbeOptions, ProbeResult } from "../cluster/health/contract.ts";
import type { UpstreamDependencies } from "../exchange/dependencies.ts";
import { ConnectionProbe } from "./connection-probe.ts";
import { GrpcQuestion } from "./grpc-question.ts";
import { HttpQuestion } from "./http-question.ts";
import { RequestProbe } from "./request-probe.ts";

/** What checks stand on. */
export type ProbeDependencies = Pick<UpstreamDependencies, "clocks" | "log" | "sockets">;

/** Checks are no requests: their connections are not counted. */
const NOT_COUNTED: UpstreamDependencies["recorder"] = {
  upstreamConnect: () => undefined,
  upstreamClosed: () => undefined,
};

/** How a worker opens its checks. */
export function toOpenProbe(dependencies: ProbeDependencies): OpenProbe {
  const all: UpstreamDependencies = { ...dependencies, recorder: NOT_COUNTED };
  return (options, done) => open(options, all, done);
}

function open(
  options: ProbeOptions,
  dependencies: UpstreamDependencies,
  done: (result: ProbeResult) => void,
): () => void {
  const { probe, protocol } = options;
  if (probe.kind === "tcp") {
    const check = new ConnectionProbe(options, dependencies, done);
    return () => check.cancel();
  }
  const host = probe.host ?? toHostPort(options);
  const scheme = options.tls === undefined ? "http" : "https";
  const check =
    probe.kind === "http"
      ? new RequestProbe({ ...options, protocol }, new HttpQuestion(probe, host, scheme), dependencies)
      : // calls need HTTP/2, whatever the requests of the cluster are
        new RequestProbe(
          { ...options, protocol: "http2" },
          new GrpcQuestion(probe.service, host, scheme),
          dependencies,
        );
  check.begin(done);
  return () => check.cancel();
}
