/**
 * TLS of Ingresses: which certificate is shown for which host. Every host of a `tls` entry becomes a listener of its own on
 * the TLS port; of several Ingresses that bring a certificate for one host, the oldest has it.
 */
import type { CertificateSecret } from "@sallyport/model/secret";
import type { World, WorldObject } from "../../world/world.ts";
import { readCertificateSecret } from "../certificate-secret.ts";
import { type Finding, hintObject } from "../flaw.ts";
import { ANY_HOST } from "../hostname.ts";

/** The certificate of a host and the Ingress it came from. */
export interface HostCertificate {
  readonly certificate: CertificateSecret;
  readonly ingress: WorldObject<"Ingress">;
}

/** What is wrong with one Ingress. */
export interface IngressFinding {
  readonly ingress: WorldObject<"Ingress">;
  readonly finding: Finding;
}

/** Certificates by host (`*` for clients whose host has none), and what could not be done. */
export interface CertificatePlan {
  readonly byHost: ReadonlyMap<string, HostCertificate>;
  readonly findings: readonly IngressFinding[];
}

/** Reads the `tls` entries of these Ingresses, which come oldest first. */
export function planCertificates(world: World, ingresses: readonly WorldObject<"Ingress">[]): CertificatePlan {
  const byHost = new Map<string, HostCertificate>();
  const findings: IngressFinding[] = [];
  for (const ingress of ingresses) {
    for (const [index, entry] of (ingress.object.spec.tls ?? []).entries()) {
      const path = `spec.tls[${index}]`;
      const certificate = resolveSecret(world, ingress, { secretName: entry.secretName, path });
      if ("message" in certificate) {
        findings.push({ ingress, finding: certificate });
        continue;
      }
      const hosts = entry.hosts === undefined || entry.hosts.length === 0 ? [ANY_HOST] : entry.hosts;
      for (const host of hosts.map((each) => each.toLowerCase())) {
        const holder = byHost.get(host);
        if (holder === undefined) byHost.set(host, { certificate, ingress });
        else if (holder.certificate.key !== certificate.key)
          findings.push({ ingress, finding: toTaken(host, holder, path) });
      }
    }
  }
  return { byHost, findings };
}

function resolveSecret(
  world: World,
  { namespace }: WorldObject<"Ingress">,
  { secretName, path }: { readonly secretName: string | undefined; readonly path: string },
): CertificateSecret | Finding {
  if (secretName === undefined || secretName === "") {
    const message = "there is no default certificate: without a secretName these hosts are not served over TLS";
    return { code: "invalid-certificate", path: `${path}.secretName`, message };
  }
  const secret = world.get("Secret", namespace, secretName);
  if (secret === undefined) {
    const message = `there is no Secret ${namespace}/${secretName}, so these hosts are not served over TLS`;
    const hint = hintObject(secretName, world.list("Secret", namespace));
    return { code: "unresolved-reference", path: `${path}.secretName`, message, ...hint };
  }
  const read = readCertificateSecret(secret);
  return read.ok ? read.value : { code: "invalid-certificate", path: `${path}.secretName`, message: read.error };
}

function toTaken(host: string, { certificate, ingress }: HostCertificate, path: string): Finding {
  return {
    code: "conflict",
    path: `${path}.hosts`,
    message: `the certificate for ${host} is ${certificate.key} of the older Ingress ${ingress.namespace}/${ingress.name}`,
  };
}
