/**
 * Certificates that Gateways and ListenerSets refer to: Secrets of type kubernetes.io/tls, of the same namespace or by grant.
 * Whether a chain and its key belong together is for the proxy, which has the cryptography.
 */
import type { ProblemCode } from "@sallyport/model/problem";
import { fail, ok, type Result } from "@sallyport/model/result";
import type { CertificateSecret } from "@sallyport/model/secret";
import type { GatewayClientCertificateRef } from "../../kube/generated/types/gateway.ts";
import type { World, WorldObject } from "../../world/world.ts";
import { readCertificateSecret } from "../certificate-secret.ts";
import { type Finding, type Flaw, hintObject } from "../flaw.ts";
import { OCSP_STAPLE, readOcspStaple } from "../ocsp-staple.ts";
import type { BackendCertificate, ListenerOwner } from "./gateway-plan.ts";
import { type CrossReference, GATEWAY_API, hintGrant, isPermitted } from "../grants.ts";

/** A certificate, and what of its Secret has no effect. */
export interface ResolvedCertificate {
  readonly certificate: CertificateSecret;
  readonly remarks: readonly Finding[];
}

/** The certificate that a reference of `owner` leads to, or why it leads to none. `path` is that of the reference. */
export function resolveCertificate(
  world: World,
  owner: ListenerOwner,
  ref: GatewayClientCertificateRef,
  path: string,
): Result<ResolvedCertificate, Flaw> {
  if (ref.group !== "" || ref.kind !== "Secret") {
    const message = `a certificate must be a Secret, not a ${ref.kind}${ref.group === "" ? "" : ` of ${ref.group}`}`;
    return fail(toFlaw("unsupported-value", ref.group === "" ? `${path}.kind` : `${path}.group`, message));
  }
  const namespace = ref.namespace ?? owner.namespace;
  const reference: CrossReference = {
    from: { group: GATEWAY_API, kind: owner.kind, namespace: owner.namespace },
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
  if (!read.ok) return fail(toFlaw("invalid-certificate", `${path}.name`, read.error));
  return ok({ certificate: read.value, remarks: findStapleRemarks(secret, path) });
}

/** The certificate a Gateway shows to backends (GEP-3155), and why it cannot be had. */
export function resolveBackendCertificate(
  world: World,
  gateway: WorldObject<"Gateway">,
): { readonly backendCertificate: BackendCertificate; readonly unresolved: readonly Flaw[] } {
  const ref = gateway.object.spec.tls?.backend?.clientCertificateRef;
  if (ref === undefined) return { backendCertificate: undefined, unresolved: [] };
  const resolved = resolveCertificate(world, gateway, ref, "spec.tls.backend.clientCertificateRef");
  if (resolved.ok) return { backendCertificate: resolved.value.certificate, unresolved: [] };
  const { reason } = resolved.error;
  const flaw = reason === INVALID ? { ...resolved.error, reason: "InvalidClientCertificateRef" } : resolved.error;
  return { backendCertificate: "broken", unresolved: [flaw] };
}

/** Clients do without a staple, so a bad one is told and left out. */
function findStapleRemarks(secret: WorldObject<"Secret">, path: string): Finding[] {
  const staple = readOcspStaple(secret);
  if (staple.ok) return [];
  const message = `the key ${OCSP_STAPLE} of the Secret ${secret.namespace}/${secret.name} has no effect: ${staple.error}`;
  return [{ code: "invalid-certificate", path: `${path}.name`, message }];
}

const INVALID = "InvalidCertificateRef";

function toFlaw(code: ProblemCode, path: string, message: string): Flaw {
  return { reason: INVALID, code, path, message };
}
