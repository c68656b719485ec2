/**
 * TLS towards the ports of Services, as BackendTLSPolicies ask for it (Gateway API: GEP-1897). A port that a policy selects
 * is never spoken to in the clear: where the policy cannot be carried out, the port is no backend. A policy that names a
 * port the Service does not have selects nothing; the API wants it so, and it may be there before its port.
 */
import type { UpstreamTls } from "@sallyport/model/cluster";
import { fail, ok, type Result } from "@sallyport/model/result";
import type { Authorities } from "@sallyport/model/secret";
import type { BackendTLSPolicySubjectAltName } from "../kube/generated/types/backend-tls-policy.ts";
import type { ServicePort } from "../kube/generated/types/service.ts";
import type { World, WorldObject } from "../world/world.ts";
import { Recollection } from "./recollection.ts";
import { resolveAuthorities } from "./authorities.ts";
import type { Finding, Flaw } from "./flaw.ts";
import { GATEWAY_API } from "./grants.ts";
import { toIpVersion } from "./ip-address.ts";
import { parseTlsOptions } from "./tls-options.ts";

/** TLS towards the endpoints of a port, and the authorities it names. */
export interface BackendTls {
  readonly tls: UpstreamTls;
  readonly authorities: readonly Authorities[];
}

/** A policy, judged by itself. */
export interface JudgedPolicy {
  /** What it asks for, or the first cause why it cannot be carried out. */
  readonly outcome: Result<BackendTls, Flaw>;
  /** Why it cannot, in the terms of its status. */
  readonly flaws: readonly Flaw[];
  /** References to authorities that lead nowhere; others that do not are trusted. */
  readonly unresolved: readonly Flaw[];
  /** What is worth telling and changes nothing. */
  readonly remarks: readonly Finding[];
}

type Policy = WorldObject<"BackendTLSPolicy">;

/** How a port is protected; undefined where no policy selects it; a failure where the policy cannot be carried out. */
export function findBackendTls(
  world: World,
  { namespace, name }: WorldObject<"Service">,
  port: ServicePort,
): Result<BackendTls | undefined, Omit<Flaw, "path">> {
  const policy =
    (port.name === undefined ? undefined : findPolicy(world, namespace, { name, sectionName: port.name })) ??
    findPolicy(world, namespace, { name });
  if (policy === undefined) return ok(undefined);
  const { outcome } = judgePolicy(world, policy);
  if (outcome.ok) return outcome;
  const { reason, code, message } = outcome.error;
  const where = `the Service ${namespace}/${name} is spoken to with TLS only`;
  return fail({
    reason,
    code,
    message: `${where}, and its BackendTLSPolicy ${policy.name} cannot be carried out: ${message}`,
  });
}

/**
 * The policy that has a target. Of several that select the same Service (and port name) it is the oldest, then the first
 * by name; what is wrong with it is not asked, so that a broken one does not give way to one with other terms.
 */
export function findPolicy(
  world: World,
  namespace: string,
  { name, sectionName }: { readonly name: string; readonly sectionName?: string },
): Policy | undefined {
  return indexTargets(world.list("BackendTLSPolicy", namespace)).get(toTargetKey(name, sectionName));
}

/** Judges a policy by itself; once, since thousands of routes may lead to its Service. */
export function judgePolicy(world: World, policy: Policy): JudgedPolicy {
  return judged.recall(policy, { world }, (reader) => judge(reader, policy));
}

const judged = new Recollection<Policy, JudgedPolicy>();
const indexes = new WeakMap<readonly Policy[], ReadonlyMap<string, Policy>>();

/** Who has which target, once for each list. */
function indexTargets(policies: readonly Policy[]): ReadonlyMap<string, Policy> {
  const known = indexes.get(policies);
  if (known !== undefined) return known;
  const index = new Map<string, Policy>();
  // A list comes sorted by name, and sorting keeps that for those of one age.
  for (const policy of policies.toSorted((left, right) => compareText(left.age, right.age))) {
    for (const { group, kind, name, sectionName } of policy.object.spec.targetRefs) {
      const key = toTargetKey(name, sectionName);
      if (group === "" && kind === "Service" && !index.has(key)) index.set(key, policy);
    }
  }
  indexes.set(policies, index);
  return index;
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** An empty section name is none. */
function toTargetKey(service: string, sectionName = ""): string {
  return `${service} ${sectionName}`;
}

const NO_VALID_CERTIFICATE = "NoValidCACertificate";

function judge(world: World, policy: Policy): JudgedPolicy {
  const { validation, options = {} } = policy.object.spec;
  const { trust, authorities, unresolved, flaws: trustFlaws } = resolveTrust(world, policy);
  const identities = (validation.subjectAltNames ?? []).map(toIdentity);
  const { minVersion, maxVersion, ciphers, flaws: optionFlaws, remarks } = parseTlsOptions(options, "spec.options");
  const flaws = [
    ...trustFlaws,
    ...findNameFlaws(validation.hostname),
    ...identities.flatMap((identity, index) => (identity === undefined ? [toBrokenName(index)] : [])),
    ...optionFlaws.map((flaw) => ({ ...flaw, reason: "Invalid" })),
  ];
  const [flaw] = flaws;
  if (flaw !== undefined) {
    const [cause = flaw] = flaw.reason === NO_VALID_CERTIFICATE ? unresolved : [];
    return { outcome: fail(cause), flaws, unresolved, remarks };
  }
  const tls: UpstreamTls = {
    serverName: validation.hostname,
    identities: identities.filter((identity) => identity !== undefined),
    trust,
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(ciphers === undefined ? {} : { ciphers: [...ciphers] }),
  };
  return { outcome: ok({ tls, authorities }), flaws, unresolved, remarks };
}

interface Trust {
  readonly trust: UpstreamTls["trust"];
  readonly authorities: readonly Authorities[];
  readonly unresolved: readonly Flaw[];
  readonly flaws: readonly Flaw[];
}

/** BackendTLSPolicyValidation: references that lead somewhere are enough; without any the well-known word counts. */
function resolveTrust(world: World, policy: Policy): Trust {
  const { caCertificateRefs = [], wellKnownCACertificates = "" } = policy.object.spec.validation;
  if (caCertificateRefs.length === 0) {
    const flaws = wellKnownCACertificates === "System" ? [] : [toUnknownTrust(wellKnownCACertificates)];
    return { trust: "system", authorities: [], unresolved: [], flaws };
  }
  const found = new Map<string, Authorities>();
  const unresolved: Flaw[] = [];
  for (const [index, ref] of caCertificateRefs.entries()) {
    const resolved = resolveAuthorities(world, {
      from: { group: GATEWAY_API, kind: "BackendTLSPolicy", namespace: policy.namespace },
      // The API's reference has no namespace, whatever else an object may hold.
      ref: { group: ref.group, kind: ref.kind, name: ref.name },
      path: `spec.validation.caCertificateRefs[${index}]`,
      kindReason: "InvalidKind",
    });
    if (resolved.ok) found.set(resolved.value.key, resolved.value);
    else unresolved.push(resolved.error);
  }
  const flaws = found.size === 0 ? [toNoAuthorities()] : [];
  return { trust: [...found.keys()], authorities: [...found.values()], unresolved, flaws };
}

function toIdentity({
  type,
  hostname,
  uri,
}: BackendTLSPolicySubjectAltName): UpstreamTls["identities"][number] | undefined {
  if (type === "Hostname" && hostname !== undefined && hostname !== "") return { kind: "dns", name: hostname };
  return type === "URI" && uri !== undefined && uri !== "" ? { kind: "uri", uri } : undefined;
}

/** PreciseHostname: a name, not an address; RFC 6066 section 3 allows no addresses as server names either. */
function findNameFlaws(hostname: string): Flaw[] {
  if (toIpVersion(hostname) === undefined) return [];
  const path = "spec.validation.hostname";
  const message = `${hostname} is an address where the name on the backend's certificate is needed`;
  return [{ reason: "Invalid", code: "invalid-value", path, message }];
}

function toBrokenName(index: number): Flaw {
  const path = `spec.validation.subjectAltNames[${index}]`;
  const message = "a name must be of type Hostname with a hostname or of type URI with a uri";
  return { reason: "Invalid", code: "invalid-value", path, message };
}

function toUnknownTrust(wellKnown: string): Flaw {
  const message =
    wellKnown === ""
      ? "it names nobody to trust"
      : `the well-known certificates ${wellKnown} are not known: System are those this machine trusts`;
  return { reason: "Invalid", code: "unsupported-value", path: "spec.validation.wellKnownCACertificates", message };
}

function toNoAuthorities(): Flaw {
  const path = "spec.validation.caCertificateRefs";
  const message = "none of these references can be used, so nobody is trusted and no traffic is sent";
  return { reason: NO_VALID_CERTIFICATE, code: "invalid-certificate", path, message };
}
