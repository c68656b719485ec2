/** GatewayClasses that name our controller: their status, and the features we say we have. */
import type { World, WorldObject } from "../../world/world.ts";
import { conditionsOf } from "../condition.ts";
import { type Flaw, toObjectRef, toProblem } from "../flaw.ts";
import type { TranslateOptions, Translation } from "../translator.ts";

/**
 * Names of the Gateway API features that work from end to end, in alphabetical order as the API demands. Conformance runs
 * test what is listed here.
 */
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
  "HTTPRouteSchemeRedirect",
  "ListenerSet",
  "ReferenceGrant",
  "TCPRoute",
  "TLSRoute",
  "TLSRouteModeMixed",
  "TLSRouteModeTerminate",
  "UDPRoute",
];

/** Statuses of all classes of ours. */
export function translateGatewayClasses(world: World, { controllerName }: TranslateOptions): Translation {
  const ours = world.list("GatewayClass").filter(({ object }) => object.spec.controllerName === controllerName);
  return {
    resources: [],
    statuses: ours.map((subject) => ({ object: toObjectRef(subject), status: toStatus(subject) })),
    problems: ours.flatMap((subject) => findClassFlaws(subject).map((flaw) => toProblem(subject, flaw))),
  };
}

/** Why a class is not accepted: nothing can be given as its parameters. */
export function findClassFlaws({ object: { spec } }: WorldObject<"GatewayClass">): readonly Flaw[] {
  const ref = spec.parametersRef;
  if (ref === undefined) return [];
  const message = `parameters of kind ${ref.kind} (${ref.group === "" ? "core" : ref.group}) are not supported`;
  return [{ reason: "InvalidParameters", code: "unsupported-value", path: "spec.parametersRef", message }];
}

function toStatus(subject: WorldObject<"GatewayClass">): unknown {
  const accepted = conditionsOf(subject).judge("Accepted", findClassFlaws(subject), {
    reason: "Accepted",
    message: "the class is served by this controller",
  });
  return { conditions: [accepted], supportedFeatures: SUPPORTED_FEATURES.map((name) => ({ name })) };
}
