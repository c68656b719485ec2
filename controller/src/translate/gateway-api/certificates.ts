/** certificateRefs of a listener: Secrets of type kubernetes.io/tls, of the same namespace or by grant. */
import type { ProblemCode } from "@sallyport/model/problem";
import { fail, type Result } from "@sallyport/model/result";
import type { CertificateSecret } from "@sallyport/model/secret";
import type { GatewayClientCertificateRef } from "../../kube/generated/types/gateway.ts";
import type { World, WorldObject } from "../../world/world.ts";
import { readCertificateSecret } from "../certificate-secret.ts";
import { type Flaw, hintObject } from "../flaw.ts";
import { type CrossReference, GATEWAY_API, hintGrant, isPermitted } from "./grants.ts";

/** The certificate a reference leads to, or why it leads to none. `path` is that of the reference. */
export function resolveCertificate(
  world: World,
  gateway: WorldObject<"Gateway">,
  ref: GatewayClientCertificateRef,
  path: string,
): Result<CertificateSecret, Flaw> {
  if (ref.group !== "" || ref.kind !== "Secret") {
    const message = `a certificate must be a Secret, not a ${ref.kind}${ref.group === "" ? "" : ` of ${ref.group}`}`;
    return fail(toFlaw("unsupported-value", ref.group === "" ? `${path}.kind` : `${path}.group`, message));
  }
  const namespace = ref.namespace ?? gateway.namespace;
  const reference: CrossReference = {
    from: { group: GATEWAY_API, kind: "Gateway", namespace: gateway.namespace },
    to: { group: "", kind: "Secret", namespace, name: ref.name },
  };
  if (!isPermitted(world, reference)) {
    return fail({
      reason: "RefNotPermitted",
      code: "reference-not-permitted",
      path: `${path}.namespace`,
      message: `the Secret ${namespace}/${ref.name} is in another namespace, which does not permit the reference`,
      hint: hintGrant(reference),
    });
  }
  const secret = world.get("Secret", namespace, ref.name);
  if (secret === undefined) {
    const flaw = toFlaw("unresolved-reference", `${path}.name`, `there is no Secret ${namespace}/${ref.name}`);
    return fail({ ...flaw, ...hintObject(ref.name, world.list("Secret", namespace)) });
  }
  const read = readCertificateSecret(secret);
  return read.ok ? read : fail(toFlaw("invalid-certificate", `${path}.name`, read.error));
}

function toFlaw(code: ProblemCode, path: string, message: string): Flaw {
  return { reason: "InvalidCertificateRef", code, path, message };
}
