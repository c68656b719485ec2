/** The kinds the controller reads: all that schemas are generated for, and Secrets. */
import { generatedKinds } from "./generated/kinds.ts";
import type { GeneratedKinds } from "./generated/kinds.ts";
import type { GeneratedKind } from "./generated-kind.ts";
import type { Secret } from "./secret.ts";

/** Decoded type of every kind the world can hold. */
export interface KindMap {
  readonly GatewayClass: GeneratedKinds["GatewayClass"];
  readonly Gateway: GeneratedKinds["Gateway"];
  readonly HTTPRoute: GeneratedKinds["HTTPRoute"];
  readonly GRPCRoute: GeneratedKinds["GRPCRoute"];
  readonly TLSRoute: GeneratedKinds["TLSRoute"];
  readonly TCPRoute: GeneratedKinds["TCPRoute"];
  readonly UDPRoute: GeneratedKinds["UDPRoute"];
  readonly BackendTLSPolicy: GeneratedKinds["BackendTLSPolicy"];
  readonly ListenerSet: GeneratedKinds["ListenerSet"];
  readonly XBackendTrafficPolicy: GeneratedKinds["XBackendTrafficPolicy"];
  readonly XMesh: GeneratedKinds["XMesh"];
  readonly ReferenceGrant: GeneratedKinds["ReferenceGrant"];
  readonly GatewayParameters: GeneratedKinds["GatewayParameters"];
  readonly BackendTrafficPolicy: GeneratedKinds["BackendTrafficPolicy"];
  readonly ClientTrafficPolicy: GeneratedKinds["ClientTrafficPolicy"];
  readonly Ingress: GeneratedKinds["Ingress"];
  readonly IngressClass: GeneratedKinds["IngressClass"];
  readonly Service: GeneratedKinds["Service"];
  readonly EndpointSlice: GeneratedKinds["EndpointSlice"];
  readonly Secret: Secret;
  readonly ConfigMap: GeneratedKinds["ConfigMap"];
  readonly Namespace: GeneratedKinds["Namespace"];
}

/** Name of a kind the world can hold. */
export type KindName = keyof KindMap;

/** Any decoded object. */
export type KubeObject = KindMap[KindName];

/** How each kind is identified and checked. */
export const kinds = {
  GatewayClass: generatedKinds.GatewayClass,
  Gateway: generatedKinds.Gateway,
  HTTPRoute: generatedKinds.HTTPRoute,
  GRPCRoute: generatedKinds.GRPCRoute,
  TLSRoute: generatedKinds.TLSRoute,
  TCPRoute: generatedKinds.TCPRoute,
  UDPRoute: generatedKinds.UDPRoute,
  BackendTLSPolicy: generatedKinds.BackendTLSPolicy,
  ListenerSet: generatedKinds.ListenerSet,
  XBackendTrafficPolicy: generatedKinds.XBackendTrafficPolicy,
  XMesh: generatedKinds.XMesh,
  ReferenceGrant: generatedKinds.ReferenceGrant,
  GatewayParameters: generatedKinds.GatewayParameters,
  BackendTrafficPolicy: generatedKinds.BackendTrafficPolicy,
  ClientTrafficPolicy: generatedKinds.ClientTrafficPolicy,
  Ingress: generatedKinds.Ingress,
  IngressClass: generatedKinds.IngressClass,
  Service: generatedKinds.Service,
  EndpointSlice: generatedKinds.EndpointSlice,
  Secret: generatedKinds.Secret,
  ConfigMap: generatedKinds.ConfigMap,
  Namespace: generatedKinds.Namespace,
} satisfies Readonly<Record<KindName, GeneratedKind>>;

/** All kinds the world can hold, in a fixed order. */
export const kindNames: readonly KindName[] = [
  "GatewayClass",
  "Gateway",
  "HTTPRoute",
  "GRPCRoute",
  "TLSRoute",
  "TCPRoute",
  "UDPRoute",
  "BackendTLSPolicy",
  "ListenerSet",
  "XBackendTrafficPolicy",
  "XMesh",
  "ReferenceGrant",
  "GatewayParameters",
  "BackendTrafficPolicy",
  "ClientTrafficPolicy",
  "Ingress",
  "IngressClass",
  "Service",
  "EndpointSlice",
  "Secret",
  "ConfigMap",
  "Namespace",
];

/** Whether the word is the name of a kind the world can hold. */
export function isKindName(word: string): word is KindName {
  return Object.hasOwn(kinds, word);
}
