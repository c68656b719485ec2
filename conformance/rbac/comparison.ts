// Compares what an account asked of the API server with what its roles grant: both must be the same.

/** One request, as the API server's audit log tells it. */
export interface SeenRequest {
  readonly verb: string;
  /** API group; "" is core. */
  readonly group: string;
  /** With its subresource: `gateways/status`. */
  readonly resource: string;
  /** Absent for requests about all namespaces, or about objects without one. */
  readonly namespace?: string;
  readonly name?: string;
  /** Of the authorizer. */
  readonly decision: "allow" | "forbid";
}

/** A rule of a Role or a ClusterRole. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  /** Absent: any name. */
  readonly resourceNames?: readonly string[];
}

/** A role's rules, and where they hold. */
export interface Role {
  readonly kind: "ClusterRole" | "Role";
  /** Of a Role. */
  readonly namespace?: string;
  readonly rules: readonly Rule[];
}

/** What differs; both are empty where the roles are right. */
export interface Difference {
  /** Asked and not granted, one line each. */
  readonly lacking: readonly string[];
  /** Granted and never asked, one line each. */
  readonly idle: readonly string[];
}

/** One verb on one resource. */
interface Grant {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly names: readonly string[] | undefined;
  readonly namespace: string | undefined;
}

/** Compares them. A request that was refused is lacking whatever the roles say: the server knows better. */
export function compareRoles(roles: readonly Role[], requests: readonly SeenRequest[]): Difference {
  const grants = roles.flatMap(grantsOf);
  const used = new Set<Grant>();
  const lacking = new Set<string>();
  for (const request of requests) {
    const granting = grants.filter((grant) => covers(grant, request));
    for (const grant of granting) used.add(grant);
    if (granting.length === 0 || request.decision === "forbid") lacking.add(describe(request, request.namespace));
  }
  const idle = grants.filter((grant) => !used.has(grant)).map((grant) => describe(grant, grant.namespace));
  return { lacking: [...lacking].toSorted(), idle: [...new Set(idle)].toSorted() };
}

/** A wildcard is no grant that can be compared, so it is an error. */
function grantsOf({ kind, namespace, rules }: Role): Grant[] {
  const where = kind === "Role" ? namespace : undefined;
  return rules.flatMap(({ apiGroups, resources, verbs, resourceNames: names }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.map((verb) => {
          if ([group, resource, verb].includes("*"))
            throw new Error(`${kind} grants "*" (${group} ${resource} ${verb})`);
          return { verb, group, resource, names, namespace: where };
        }),
      ),
    ),
  );
}

function covers(grant: Grant, request: SeenRequest): boolean {
  return (
    grant.verb === request.verb &&
    grant.group === request.group &&
    grant.resource === request.resource &&
    (grant.namespace === undefined || grant.namespace === request.namespace) &&
    (grant.names === undefined || (request.name !== undefined && grant.names.includes(request.name)))
  );
}

function describe(
  { verb, group, resource }: Pick<Grant, "verb" | "group" | "resource">,
  namespace: string | undefined,
): string {
  const where = namespace === undefined ? "" : ` in ${namespace}`;
  return `${verb} ${resource}${group === "" ? "" : `.${group}`}${where}`;
}
