/** Certificate authorities in ConfigMaps and Secrets: whom to trust, on either side of the proxy. */
import { fail, ok, type Result } from "@sallyport/model/result";
import type { Authorities } from "@sallyport/model/secret";
import type { World } from "../world/world.ts";
import { type Flaw, hintName, hintObject } from "./flaw.ts";
import { type CrossReference, hintGrant, isPermitted } from "./grants.ts";
import { findChainFlaw, findRevocationsFlaw } from "./pem.ts";

/** Names a ConfigMap or Secret; without a namespace, that of the referring object. */
export interface AuthoritiesRef {
  readonly group: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** A reference to authorities, and how the API of the referring object calls its mistakes. */
export interface AuthoritiesReference {
  readonly from: CrossReference["from"];
  readonly ref: AuthoritiesRef;
  /** Path of the reference in its object. */
  readonly path: string;
  /** Reason for a reference to something that cannot hold certificates. */
  readonly kindReason: "InvalidKind" | "InvalidCACertificateKind";
}

/** Where the certificates are, in both kinds (Gateway API: CACertificateRefs). */
const CERTIFICATES = "ca.crt";

/** Where revocation lists may be, as ingress-nginx has them. */
const REVOCATIONS = "ca.crl";

/** The authorities a reference leads to, or why it leads to none; leave is asked for before anything else is told. */
export function resolveAuthorities(world: World, reference: AuthoritiesReference): Result<Authorities, Flaw> {
  const { from, ref, path } = reference;
  const { kind, name, namespace = from.namespace } = ref;
  if (ref.group !== "" || (kind !== "ConfigMap" && kind !== "Secret")) return fail(toForeignKind(reference));
  const crossing: CrossReference = { from, to: { group: "", kind, namespace, name } };
  if (!isPermitted(world, crossing)) {
    return fail({
      reason: "RefNotPermitted",
      code: "reference-not-permitted",
      path: `${path}.namespace`,
      message: `the ${kind} ${namespace}/${name} is in another namespace, which does not permit the reference`,
      hint: hintGrant(crossing),
    });
  }
  const values = readValues(world, kind, { namespace, name });
  if (values === undefined) {
    const message = `there is no ${kind} ${namespace}/${name}`;
    const hint = hintObject(name, world.list(kind, namespace));
    return fail({ reason: INVALID, code: "unresolved-reference", path: `${path}.name`, message, ...hint });
  }
  const read = readAuthorities(`${kind}/${namespace}/${name}`, values);
  if (read.ok) return read;
  const message = `the ${kind} ${namespace}/${name} ${read.error}`;
  return fail({ reason: INVALID, code: "invalid-certificate", path: `${path}.name`, message });
}

const INVALID = "InvalidCACertificateRef";

interface Values {
  readonly certificates: string | undefined;
  readonly revocations: string | undefined;
}

function readValues(
  world: World,
  kind: "ConfigMap" | "Secret",
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Values | undefined {
  if (kind === "Secret") {
    const data = world.get(kind, namespace, name)?.object.data;
    return data && { certificates: data[CERTIFICATES]?.text(), revocations: data[REVOCATIONS]?.text() };
  }
  const found = world.get(kind, namespace, name);
  if (found === undefined) return undefined;
  return { certificates: found.object.data?.[CERTIFICATES], revocations: found.object.data?.[REVOCATIONS] };
}

/** One broken block spoils all: what is missing from a bundle would show only when the certificate that needs it comes. */
function readAuthorities(key: string, { certificates, revocations }: Values): Result<Authorities, string> {
  if (certificates === undefined) return fail(`has no key ${CERTIFICATES}`);
  const flaw = findChainFlaw(certificates);
  if (flaw !== undefined) return fail(`has an unusable ${CERTIFICATES}: ${flaw}`);
  if (revocations === undefined) return ok({ kind: "authorities", key, certificates });
  const revocationsFlaw = findRevocationsFlaw(revocations);
  if (revocationsFlaw !== undefined) return fail(`has an unusable ${REVOCATIONS}: ${revocationsFlaw}`);
  return ok({ kind: "authorities", key, certificates, revocations });
}

function toForeignKind({ ref: { group, kind }, path, kindReason }: AuthoritiesReference): Flaw {
  return {
    reason: kindReason,
    code: "unsupported-value",
    path: group === "" ? `${path}.kind` : `${path}.group`,
    message: `authorities must be in a ConfigMap or a Secret, not in an object of kind ${kind}${group === "" ? "" : ` (${group})`}`,
    ...(group === "" ? hintName(kind, ["ConfigMap", "Secret"]) : {}),
  };
}
