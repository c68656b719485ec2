/**
 * What Services are believed of where their endpoints are. In a directory of files whoever writes one Service writes them all. In a cluster
 * anybody may who may write in a namespace, and by an ExternalName or a list of addresses name what ReferenceGrants are to protect
 * (Services of other namespaces; compare CVE-2021-25740), or what only the proxy's machine reaches.
 */
import type { WorldObject } from "../world/world.ts";
import type { Flaw } from "./flaw.ts";

/** The annotation of a Service that lists its endpoints (services/static-endpoints.ts). */
export const ENDPOINTS_ANNOTATION = "sallyport.io/endpoints";

/** What Services are believed. */
export interface ServiceTrust {
  /** Services of type ExternalName. */
  readonly externalNames: "allowed" | "refused";
  /** Endpoints of the annotation. */
  readonly staticEndpoints: "allowed" | "refused";
  /** `routable`: whatever says so, no endpoint is at an address of special use (loopback, link-local and so on). */
  readonly addresses: "any" | "routable";
}

/** Of a directory of files. */
export const FULL_TRUST: ServiceTrust = { externalNames: "allowed", staticEndpoints: "allowed", addresses: "any" };

/** Of a cluster, unless its operator says otherwise. */
export const CLUSTER_TRUST: ServiceTrust = {
  externalNames: "refused",
  staticEndpoints: "refused",
  addresses: "routable",
};

/** Why a Service is not believed where its endpoints are, so that it is no backend; undefined where it is. */
export function findDistrust(
  { namespace, name, object: { metadata, spec } }: WorldObject<"Service">,
  { externalNames, staticEndpoints }: ServiceTrust,
): Omit<Flaw, "path"> | undefined {
  // the annotation goes before the type
  if (metadata.annotations?.[ENDPOINTS_ANNOTATION] !== undefined) {
    if (staticEndpoints === "allowed") return undefined;
    const has = `has the annotation ${ENDPOINTS_ANNOTATION}, which can name any address`;
    return refuse(`${namespace}/${name} ${has}`, "--allow-static-endpoints");
  }
  if (spec.type !== "ExternalName" || externalNames === "allowed") return undefined;
  return refuse(`${namespace}/${name} is of type ExternalName, which can name any host`, "--allow-external-names");
}

function refuse(what: string, option: string): Omit<Flaw, "path"> {
  return {
    reason: "RefNotPermitted",
    code: "reference-not-permitted",
    message: `the Service ${what}, also of other namespaces and without their ReferenceGrant: it is no backend unless the controller runs with ${option}`,
  };
}
