/** Key material. It must never reach a log or a dump: every printer goes through redactResource in snapshot.ts. */
import { Type, type Static } from "typebox";

/** A certificate chain and its private key, both PEM; `key` is `namespace/name` of the Kubernetes Secret. */
export const CertificateSecret = Type.Object({
  kind: Type.Literal("secret"),
  key: Type.String(),
  certificateChain: Type.String(),
  privateKey: Type.String(),
});
/** A certificate chain and its private key. */
export type CertificateSecret = Static<typeof CertificateSecret>;
