/** SPIFFE ids as Kubernetes service accounts have them: `spiffe://trust-domain/ns/NAMESPACE/sa/SERVICE-ACCOUNT`. */

/** A service account. */
export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

const LABEL = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";
const NAMESPACE = `(?<namespace>${LABEL})`;
const NAME = `(?<name>${LABEL}(?:\\.${LABEL})*)`;
const USER = new RegExp(`^system:serviceaccount:${NAMESPACE}:${NAME}$`);
const ALT_NAME = new RegExp(`^URI:spiffe://(?<domain>[-._a-z0-9]+)/ns/${NAMESPACE}/sa/${NAME}$`);

/** The id of a service account. */
export function toSpiffeId({ namespace, name }: ServiceAccount, trustDomain: string): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${name}`;
}

/** The account of a user name as the API server writes it, or undefined where it is no service account's. */
export function parseUserName(user: string): ServiceAccount | undefined {
  return toAccount(USER.exec(user)?.groups);
}

/** The account of a certificate whose only alternative name (as node:crypto prints it) is an id of this trust domain. */
export function parseAltName(text: string | undefined, trustDomain: string): ServiceAccount | undefined {
  const groups = ALT_NAME.exec(text ?? "")?.groups;
  return groups?.["domain"] === trustDomain ? toAccount(groups) : undefined;
}

function toAccount(groups: Readonly<Record<string, string>> | undefined): ServiceAccount | undefined {
  const { namespace, name } = groups ?? {};
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}
