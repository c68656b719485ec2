/** The TLS side of an HTTPS listener: its certificates, and what of its configuration cannot be done. */
import type { CertificateSecret } from "@sallyport/model/secret";
import type { GatewayListener, GatewaySpec } from "../../kube/generated/types/gateway.ts";
import type { World, WorldObject } from "../../world/world.ts";
import type { Finding, Flaw } from "../flaw.ts";
import { resolveCertificate } from "./certificates.ts";
import type { ListenerDraft } from "./gateway-plan.ts";

/** What the TLS side of a listener comes to. */
export interface TlsDraft {
  readonly tls: ListenerDraft["tls"];
  readonly certificates: readonly CertificateSecret[];
  /** Why the listener is not accepted. */
  readonly flaws: readonly Flaw[];
  /** References that lead nowhere. */
  readonly unresolved: readonly Flaw[];
  readonly remarks: readonly Finding[];
}

/** The TLS side of a listener that has none. */
export const NO_TLS: TlsDraft = { tls: undefined, certificates: [], flaws: [], unresolved: [], remarks: [] };

/** Judges the TLS side of a listener that terminates TLS; `path` is the listener's. */
export function judgeTls(
  { world, gateway }: { readonly world: World; readonly gateway: WorldObject<"Gateway"> },
  spec: GatewayListener,
  path: string,
): TlsDraft {
  const refs = spec.tls?.certificateRefs ?? [];
  const certificates: CertificateSecret[] = [];
  const unresolved: Flaw[] = [];
  for (const [index, ref] of refs.entries()) {
    const resolved = resolveCertificate(world, gateway, ref, `${path}.tls.certificateRefs[${index}]`);
    if (resolved.ok) certificates.push(resolved.value);
    else unresolved.push(resolved.error);
  }
  if (refs.length === 0) unresolved.push(toMissingCertificate(path));
  const flaws = [...findModeFlaws(spec, path), ...findValidationFlaws(gateway.object.spec, spec.port)];
  return { tls: {}, certificates, unresolved, flaws, remarks: toOptionRemarks(spec, path) };
}

function findModeFlaws(spec: GatewayListener, path: string): Flaw[] {
  if (spec.tls?.mode !== "Passthrough") return [];
  return [toUnsupported(`${path}.tls.mode`, "a listener of protocol HTTPS must terminate TLS")];
}

/** Served without the check, a listener would let in whom the user wants kept out. */
function findValidationFlaws({ tls }: GatewaySpec, port: number): Flaw[] {
  const frontend = tls?.frontend;
  if (frontend === undefined) return [];
  const perPort = frontend.perPort ?? [];
  const index = perPort.findIndex((entry) => entry.port === port);
  const override = perPort[index];
  const [validation, where] =
    override === undefined
      ? [frontend.default.validation, "spec.tls.frontend.default"]
      : [override.tls.validation, `spec.tls.frontend.perPort[${index}].tls`];
  if (validation === undefined) return [];
  const message = "client certificates cannot be validated yet; the listener is not served without";
  return [toUnsupported(`${where}.validation`, message)];
}

function toUnsupported(path: string, message: string): Flaw {
  return { reason: "UnsupportedValue", code: "unsupported-value", path, message };
}

function toMissingCertificate(path: string): Flaw {
  return {
    reason: "InvalidCertificateRef",
    code: "invalid-certificate",
    path: `${path}.tls.certificateRefs`,
    message: "a listener that terminates TLS needs a certificate",
  };
}

function toOptionRemarks(spec: GatewayListener, path: string): Finding[] {
  return Object.keys(spec.tls?.options ?? {}).map((name) => ({
    code: "unsupported-value",
    path: `${path}.tls.options["${name}"]`,
    message: `the TLS option ${name} is not known and has no effect`,
  }));
}
