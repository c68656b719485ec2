/** Which proxies may have the configuration of which group. */
import { INGRESS_GROUP } from "@sallyport/model/distribution";
import { fail, ok, type Result } from "@sallyport/model/result";
import type { ServiceAccount } from "../identity/spiffe.ts";

/** Name of the account, and of everything else, of the proxies that serve all Ingresses. */
export const INGRESS_PROXY = "sallyport-ingress";

/** Who owns groups. */
export interface GroupAccess {
  /** Where the controller runs, and the proxies for Ingresses. */
  readonly namespace: string;
  /** Name of the account that proxies of this Gateway (`namespace/name`) have (toProxyName); undefined where there is no such Gateway. */
  readonly accountOf: (group: string) => string | undefined;
}

const GATEWAY = /^([-a-z0-9]{1,63})\/[-.a-z0-9]{1,253}$/;

/** Nothing, or why this account may not have that group. */
export function allowGroup(account: ServiceAccount, group: string, access: GroupAccess): Result<undefined, string> {
  const owner = toOwner(group, access);
  if (!owner.ok) return owner;
  const { namespace, name } = owner.value;
  if (account.namespace === namespace && account.name === name) return ok(undefined);
  return fail(
    `the certificate is of the account ${account.namespace}/${account.name}; ` +
      "only a proxy that runs as the account made for its group may have the group's configuration",
  );
}

function toOwner(group: string, { namespace, accountOf }: GroupAccess): Result<ServiceAccount, string> {
  if (group === INGRESS_GROUP) return ok({ namespace, name: INGRESS_PROXY });
  const own = GATEWAY.exec(group)?.[1];
  if (own === undefined) return fail(`--group must be NAMESPACE/NAME of a Gateway, or ${INGRESS_GROUP}`);
  const name = accountOf(group);
  return name === undefined ? fail(`there is no Gateway ${group} of ours, or none yet`) : ok({ namespace: own, name });
}
