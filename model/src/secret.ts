/** Key material and whom to trust. Private keys must never reach a log or a dump: every printer goes through redactResource. */
import { Type, type Static } from "typebox";

/** A certificate chain and its private key, both PEM; `key` is `namespace/name` of the Kubernetes Secret. */
export const CertificateSecret = Type.Object({
  kind: Type.Literal("secret"),
  key: Type.String(),
  certificateChain: Type.String(),
  privateKey: Type.String(),
  /** An OCSP response to staple (RFC 6066 section 8), DER in base64. */
  ocspStaple: Type.Optional(Type.String()),
});
/** A certificate chain and its private key. */
export type CertificateSecret = Static<typeof CertificateSecret>;

/** Certificate authorities to trust; `key` is `kind/namespace/name` of the ConfigMap or Secret they come from. */
export const Authorities = Type.Object({
  kind: Type.Literal("authorities"),
  key: Type.String(),
  /** One or more certificates, PEM. */
  certificates: Type.String(),
  /** Revocation lists of these authorities, PEM; a chain with a certificate on one of them is not valid. */
  revocations: Type.Optional(Type.String()),
});
/** Certificate authorities to trust. */
export type Authorities = Static<typeof Authorities>;
