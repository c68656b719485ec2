/**
 * What the controller and a proxy say to each other: JSON messages on one gRPC stream for each proxy (`CONFIGURE`), after the
 * proxy has got its certificate (`CERTIFY`). The incremental form of xDS is the model: resources by id, a version for each of
 * them, and an answer to each change.
 *
 * A proxy begins with `hello` and says which resources it holds; the controller sends what is different, and from then on
 * every change. A change may come in several parts so that no message is large; only the last one is answered: `ack`, or
 * `nack` with the reasons, after which the proxy serves on with what it had.
 */
import { Type, type Static } from "typebox";
import { Count } from "./number.ts";

/** gRPC method by which a proxy gets a certificate: unary, TLS of the server only, authenticated by a service account token. */
export const CERTIFY_METHOD = "/sallyport.config.v1.Identity/Certify";
/** gRPC method of the configuration: both directions stream, mutual TLS. */
export const CONFIGURE_METHOD = "/sallyport.config.v1.Configuration/Configure";
/** Audience of the service account tokens that proxies show: they are good for nothing else. */
export const TOKEN_AUDIENCE = "sallyport-controller";
/** Key of the proxies that serve all Ingresses; those of a Gateway have `namespace/name` of it. */
export const INGRESS_GROUP = "Ingress";
/**
 * Bytes of JSON a message may have before the rest goes into another part. A single larger resource is a message of its own. A
 * controller holds one message for each proxy that is being sent something.
 */
export const PART_BYTES = 262_144;

/**
 * Bytes a message to the controller may have. A proxy whose `hello` would be larger says that it holds nothing: it is then
 * sent everything anew.
 */
export const PROXY_MESSAGE_BYTES = 4_194_304;
/** Bytes a message to a proxy may have: a part of a change, or the one resource that is larger than a part. */
export const CONTROLLER_MESSAGE_BYTES = 16_777_216;

/** A request for a certificate. */
export const CertifyRequest = Type.Object({
  /** Certificate signing request, PEM. Only its key counts: who the proxy is says the token. */
  csr: Type.String(),
  /** Projected service account token. */
  token: Type.String(),
});
/** A request for a certificate. */
export type CertifyRequest = Static<typeof CertifyRequest>;

/** A certificate for `spiffe://trust-domain/ns/NAMESPACE/sa/SERVICE-ACCOUNT`. */
export const CertifyResponse = Type.Object({
  /** The certificate, then what signed it, PEM. */
  chain: Type.String(),
  /** Milliseconds since 1970 at which a new one should be asked for. */
  renewAt: Count,
});
/** A certificate. */
export type CertifyResponse = Static<typeof CertifyResponse>;

/** The first message of a proxy. */
export const Hello = Type.Object({
  kind: Type.Literal("hello"),
  /** Whose proxy it is: `namespace/name` of a Gateway, or INGRESS_GROUP. Its certificate must allow it. */
  group: Type.String(),
  /** Name of its pod, for people. */
  proxy: Type.String(),
  /** Name of its node, by which it learns its place. */
  node: Type.Optional(Type.String()),
  /** Of the program. */
  version: Type.String(),
  /** What it serves now: resource id to version. Empty where it knows nothing. */
  resources: Type.Record(Type.String(), Type.String()),
});
/** The first message of a proxy. */
export type Hello = Static<typeof Hello>;

/** The last part of the change with this nonce is in force. */
const Ack = Type.Object({ kind: Type.Literal("ack"), nonce: Count });
/** A change is in force. */
export type Ack = Static<typeof Ack>;

/** A change cannot be done; the proxy holds what it held before. */
const Nack = Type.Object({
  kind: Type.Literal("nack"),
  nonce: Count,
  /** Why, one sentence each. */
  problems: Type.Array(Type.String()),
});
/** A change cannot be done. */
export type Nack = Static<typeof Nack>;

/** From a proxy. */
export const ProxyMessage = Type.Union([Hello, Ack, Nack]);
/** From a proxy. */
export type ProxyMessage = Static<typeof ProxyMessage>;

/** One part of a change. Resources are checked one by one by the proxy, as everywhere. */
export const ChangePart = Type.Object({
  kind: Type.Literal("change"),
  /** Of the change; the same in all its parts, and higher than any before on this stream. */
  nonce: Count,
  /** More parts follow. */
  more: Type.Boolean(),
  /** With its version each; versions are equal where the content is, whichever controller sends it. */
  upserted: Type.Array(Type.Object({ version: Type.String(), resource: Type.Unknown() })),
  /** Ids. */
  removed: Type.Array(Type.String()),
});
/** One part of a change. */
export type ChangePart = Static<typeof ChangePart>;

/** Where the proxy is; sent before the first change, and again when it changes. */
export const Place = Type.Object({
  kind: Type.Literal("place"),
  /** Of its node (topology.kubernetes.io/region and /zone, topology.istio.io/subzone); absent where that is not known. */
  region: Type.Optional(Type.String()),
  zone: Type.Optional(Type.String()),
  subzone: Type.Optional(Type.String()),
  /** The region of each zone that has nodes: endpoints say their zone alone. */
  regions: Type.Optional(Type.Record(Type.String(), Type.String())),
});
/** Where the proxy is. */
export type Place = Static<typeof Place>;

/** From the controller. */
export const ControllerMessage = Type.Union([ChangePart, Place]);
/** From the controller. */
export type ControllerMessage = Static<typeof ControllerMessage>;
