/** BackendTrafficPolicy: how backends are given requests. The CustomResourceDefinition is made from this. */
import { section } from "./field.ts";
import type { Field } from "./field.ts";
import { circuitBreaker } from "./circuit-breaker.ts";
import { backendHttp2, backendProxyProtocol, connection, dns, timeout } from "./connection.ts";
import { compression, faultInjection, requestBody, responseOverride } from "./content.ts";
import { healthCheck } from "./health-check.ts";
import { loadBalancer } from "./load-balancer.ts";
import { locality } from "./locality.ts";
import { retry } from "./retry.ts";
import { sessionPersistence } from "./session-persistence.ts";
import { policyStatus, targetRefs } from "./target.ts";

/** Schema of `spec` and `status`. */
export function backendTrafficPolicy(): Field {
  const spec = section(
    "Fields that are left out are inherited: of several policies the one with the most specific target that sets a field decides it, as a whole. From the most specific: rule of a route, route, port of a Service, Service, listener, ListenerSet, Gateway.",
    {
      targetRefs: targetRefs({
        rule:
          "(self.group == 'gateway.networking.k8s.io' && self.kind in ['Gateway', 'ListenerSet', 'HTTPRoute', 'GRPCRoute']) || " +
          "(self.group == '' && self.kind == 'Service') || (self.group == 'networking.k8s.io' && self.kind == 'Ingress')",
        message:
          'a target is a Gateway, ListenerSet, HTTPRoute or GRPCRoute of group gateway.networking.k8s.io, a Service of group "", or an Ingress of group networking.k8s.io',
        sections:
          "Part of the target: a listener of a Gateway or ListenerSet, a rule of a route, a port of a Service, each by its name. Default: all of it.",
      }),
      loadBalancer: loadBalancer(),
      locality: locality(),
      retry: retry(),
      circuitBreaker: circuitBreaker(),
      healthCheck: healthCheck(),
      timeout: timeout(),
      sessionPersistence: sessionPersistence(),
      faultInjection: faultInjection(),
      compression: compression(),
      responseOverride: responseOverride(),
      requestBody: requestBody(),
      connection: connection(),
      http2: backendHttp2(),
      dns: dns(),
      proxyProtocol: backendProxyProtocol(),
    },
    { required: ["targetRefs"] },
  );
  return section(
    "How requests reach backends: which endpoint is chosen, what is tried again, limits, health, timeouts, sessions, and what is done to their contents.",
    { spec, status: policyStatus() },
    { required: ["spec"] },
  );
}
