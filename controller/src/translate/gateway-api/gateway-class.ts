/** GatewayClasses that name our controller: their status, and the features we say we have. */
import type { World, WorldObject } from "../../world/world.ts";
import { conditionsOf } from "../condition.ts";
import { toObjectRef, toProblem } from "../flaw.ts";
import type { TranslateOptions, Translation } from "../translator.ts";
import { findClassParameterFlaws, findParameterRemarks } from "./gateway-parameters.ts";

/** Names of the Gateway API features that work from end to end. Conformance runs test what is listed here. */
const SUPPORTED_FEATURES: readonly string[] = [
  "BackendTLSPolicy",
  "BackendTLSPolicySANValidation",
  "GRPCRoute",
  "GRPCRouteNamedRouteRule",
  "Gateway",
  "GatewayBackendClientCertificate",
  "GatewayFrontendClientCertificateValidation",
  "GatewayFrontendClientCertificateValidationInsecureFallback",
  "GatewayHTTPListenerIsolation",
  "GatewayHTTPSListenerDetectMisdirectedRequests",
  "GatewayPort8080",
  "HTTPRoute",
  "HTTPRoute303RedirectStatusCode",
  "HTTPRoute307RedirectStatusCode",
  "HTTPRoute308RedirectStatusCode",
  "HTTPRouteBackendProtocolH2C",
  "HTTPRouteBackendProtocolWebSocket",
  "HTTPRouteBackendRequestHeaderModification",
  "HTTPRouteBackendTimeout",
  "HTTPRouteCORS",
  "HTTPRouteDestinationPortMatching",
  "HTTPRouteHostRewrite",
  "HTTPRouteMethodMatching",
  "HTTPRouteNamedRouteRule",
  "HTTPRouteParentRefPort",
  "HTTPRoutePathRedirect",
  "HTTPRoutePathRewrite",
  "HTTPRoutePortRedirect",
  "HTTPRouteQueryParamMatching",
  "HTTPRouteRequestMirror",
  "HTTPRouteRequestMultipleMirrors",
  "HTTPRouteRequestPercentageMirror",
  "HTTPRouteRequestTimeout",
  "HTTPRouteResponseHeaderModification",
  "HTTPRouteRetry",
  "HTTPRouteRetryBackendTimeout",
  "HTTPRouteRetryConnectionError",
  "HTTPRouteSchemeRedirect",
  "ListenerSet",
  "ReferenceGrant",
  "TCPRoute",
  "TLSRoute",
  "TLSRouteModeMixed",
  "TLSRouteModeTerminate",
  "UDPRoute",
];

/** Those that need a cluster: load balancers that give addresses, and objects that are made for Gateways. */
const CLUSTER_FEATURES: readonly string[] = ["GatewayAddressEmpty", "GatewayInfrastructure", "GatewayStaticAddresses"];

/** Statuses of all classes of ours. */
export function translateGatewayClasses(world: World, options: TranslateOptions): Translation {
  const ours = world.list("GatewayClass").filter(({ object }) => object.spec.controllerName === options.controllerName);
  return {
    resources: [],
    statuses: ours.map((subject) => ({ object: toObjectRef(subject), status: toStatus(world, options, subject) })),
    problems: ours.flatMap((subject) =>
      [...findClassParameterFlaws(world, subject), ...findParameterRemarks(world, options, subject)].map((finding) =>
        toProblem(subject, finding),
      ),
    ),
  };
}

function toStatus(world: World, { proxies }: TranslateOptions, subject: WorldObject<"GatewayClass">): unknown {
  const accepted = conditionsOf(subject).judge("Accepted", findClassParameterFlaws(world, subject), {
    reason: "Accepted",
    message: "the class is served by this controller",
  });
  const features = proxies === undefined ? SUPPORTED_FEATURES : [...SUPPORTED_FEATURES, ...CLUSTER_FEATURES];
  // In ascending order, as the API demands.
  return { conditions: [accepted], supportedFeatures: features.toSorted().map((name) => ({ name })) };
}
