/** The TLS side of a listener that terminates TLS: its certificates, what it asks of clients, and its options. */
import type { ClientValidation } from "@sallyport/model/listener";
import type { CertificateSecret } from "@sallyport/model/secret";
import type { GatewayListener } from "../../kube/generated/types/gateway.ts";
import type { Finding, Flaw } from "../flaw.ts";
import { parseTlsOptions, type TlsOptions } from "../tls-options.ts";
import { resolveCertificate } from "./certificates.ts";
import type { ListenerDraft, TlsSettings } from "./gateway-plan.ts";
import { CLIENT_CERTIFICATE_OPTION, judgeClientValidation } from "./listener-client-validation.ts";
import type { ListenerContext } from "./listeners.ts";

/** What the TLS side of a listener comes to. */
export type TlsDraft = Pick<ListenerDraft, "tls" | "certificates" | "authorities" | "flaws" | "unresolved" | "remarks">;

/** The TLS side of a listener that has none. */
export const NO_TLS: TlsDraft = {
  tls: undefined,
  certificates: [],
  authorities: [],
  flaws: [],
  unresolved: [],
  remarks: [],
};

/** Judges the TLS side of a listener that terminates TLS; `path` is the listener's. */
export function judgeTls(context: ListenerContext, spec: GatewayListener, path: string): TlsDraft {
  const certificates = resolveCertificates(context, spec, path);
  const clients = judgeClientValidation(context, spec, path);
  const options = parseTlsOptions(spec.tls?.options ?? {}, `${path}.tls.options`, [CLIENT_CERTIFICATE_OPTION]);
  return {
    tls: toSettings(options, clients.validation),
    certificates: certificates.certificates,
    authorities: clients.authorities,
    flaws: [...findModeFlaws(spec, path), ...options.flaws, ...clients.flaws],
    unresolved: [...certificates.unresolved, ...clients.unresolved],
    remarks: [...certificates.remarks, ...options.remarks, ...clients.remarks],
  };
}

function toSettings(
  { minVersion, maxVersion, ciphers }: TlsOptions,
  clientValidation: ClientValidation | undefined,
): TlsSettings {
  return {
    ...(clientValidation === undefined ? {} : { clientValidation }),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(ciphers === undefined ? {} : { ciphers: [...ciphers] }),
  };
}

function resolveCertificates(
  { world, owner }: ListenerContext,
  spec: GatewayListener,
  path: string,
): { certificates: readonly CertificateSecret[]; unresolved: readonly Flaw[]; remarks: readonly Finding[] } {
  const refs = spec.tls?.certificateRefs ?? [];
  const certificates: CertificateSecret[] = [];
  const unresolved: Flaw[] = [];
  const remarks: Finding[] = [];
  for (const [index, ref] of refs.entries()) {
    const resolved = resolveCertificate(world, owner, ref, `${path}.tls.certificateRefs[${index}]`);
    if (!resolved.ok) unresolved.push(resolved.error);
    else {
      certificates.push(resolved.value.certificate);
      remarks.push(...resolved.value.remarks);
    }
  }
  if (refs.length === 0) unresolved.push(toMissingCertificate(path));
  return { certificates, unresolved, remarks };
}

/** The schema's rule looks at `HTTPS` in capitals only. */
function findModeFlaws(spec: GatewayListener, path: string): Flaw[] {
  if (spec.tls?.mode !== "Passthrough") return [];
  const message = "a listener of protocol HTTPS must terminate TLS";
  return [{ reason: "UnsupportedValue", code: "unsupported-value", path: `${path}.tls.mode`, message }];
}

function toMissingCertificate(path: string): Flaw {
  return {
    reason: "InvalidCertificateRef",
    code: "invalid-certificate",
    path: `${path}.tls.certificateRefs`,
    message: "a listener that terminates TLS needs a certificate",
  };
}
