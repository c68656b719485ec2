/** Which Kubernetes kinds get schemas, and where their published definitions are. Add a kind here and run the generator. */

/** A module of the Go module proxy that holds published schemas. */
export interface SourceModule {
  readonly path: string;
  readonly version: string;
}

/** Gateway API: CustomResourceDefinitions of the experimental channel. */
export const gatewayApiModule: SourceModule = { path: "sigs.k8s.io/gateway-api", version: "v1.6.3" };

/** Kubernetes itself: OpenAPI v3 documents. */
export const kubernetesModule: SourceModule = { path: "k8s.io/kubernetes", version: "v1.37.2" };

/** A kind defined by a CustomResourceDefinition file of Gateway API, or of our own chart, which also tells group, versions, plural and scope. */
export interface CrdKind {
  readonly from: "crd" | "own-crd";
  readonly kind: string;
  readonly file: string;
}

/** A built-in kind, defined by a schema of an OpenAPI document. */
export interface OpenApiKind {
  readonly from: "openapi";
  readonly kind: string;
  readonly file: string;
  readonly schema: string;
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** Where one kind comes from. */
export type KindSource = CrdKind | OpenApiKind;

function gatewayApi(kind: string, plural: string): CrdKind {
  return { from: "crd", kind, file: `gateway.networking.k8s.io_${plural}.yaml` };
}

/** Kinds that are not yet part of Gateway API proper. */
function gatewayApiX(kind: string, plural: string): CrdKind {
  return { from: "crd", kind, file: `gateway.networking.x-k8s.io_${plural}.yaml` };
}

function own(kind: string, file: string): CrdKind {
  return { from: "own-crd", kind, file };
}

function core(kind: string, plural: string, scope: "namespaced" | "cluster" = "namespaced"): OpenApiKind {
  return {
    from: "openapi",
    kind,
    file: "api__v1_openapi.json",
    schema: `io.k8s.api.core.v1.${kind}`,
    group: "",
    version: "v1",
    plural,
    namespaced: scope === "namespaced",
  };
}

function grouped(kind: string, plural: string, group: string, scope: "namespaced" | "cluster"): OpenApiKind {
  return {
    from: "openapi",
    kind,
    file: `apis__${group}__v1_openapi.json`,
    schema: `io.k8s.api.${group.replace(".k8s.io", "")}.v1.${kind}`,
    group,
    version: "v1",
    plural,
    namespaced: scope === "namespaced",
  };
}

/** All kinds, in the order of the generated tables. */
export const kindSources: readonly KindSource[] = [
  gatewayApi("GatewayClass", "gatewayclasses"),
  gatewayApi("Gateway", "gateways"),
  gatewayApi("ListenerSet", "listenersets"),
  gatewayApi("HTTPRoute", "httproutes"),
  gatewayApi("GRPCRoute", "grpcroutes"),
  gatewayApi("TLSRoute", "tlsroutes"),
  gatewayApi("TCPRoute", "tcproutes"),
  gatewayApi("UDPRoute", "udproutes"),
  gatewayApi("BackendTLSPolicy", "backendtlspolicies"),
  gatewayApi("ReferenceGrant", "referencegrants"),
  gatewayApiX("XBackendTrafficPolicy", "xbackendtrafficpolicies"),
  gatewayApiX("XMesh", "xmeshes"),
  own("GatewayParameters", "sallyport.io_gatewayparameters.yaml"),
  own("BackendTrafficPolicy", "policy.sallyport.io_backendtrafficpolicies.yaml"),
  own("ClientTrafficPolicy", "policy.sallyport.io_clienttrafficpolicies.yaml"),
  core("Service", "services"),
  grouped("EndpointSlice", "endpointslices", "discovery.k8s.io", "namespaced"),
  core("Secret", "secrets"),
  core("ConfigMap", "configmaps"),
  core("Namespace", "namespaces", "cluster"),
  grouped("Ingress", "ingresses", "networking.k8s.io", "namespaced"),
  grouped("IngressClass", "ingressclasses", "networking.k8s.io", "cluster"),
];
