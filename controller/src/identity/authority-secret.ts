/** The authority's Secret: made once by whoever comes first, and read by everybody else; a user's own is taken as it is. */
import { ApiFailure, type KubeApi } from "../api/contract.ts";
import { type Authority, openAuthority } from "./authority.ts";
import { createAuthority, toCertificatePem, toKeyPem } from "./issuance.ts";

/** Name of the Secret. */
export const AUTHORITY_SECRET = "sallyport-ca";
const DAYS = 3650;

type ApiObject = Readonly<Record<string, unknown>>;

/** The Secret cannot be used. The message says what to do. */
export class AuthorityFailure extends Error {
  override readonly name = "AuthorityFailure";
}

/** Reads the authority of a namespace, and makes it where there is none. Rejects with an ApiFailure or an AuthorityFailure. */
export async function readAuthority(api: KubeApi, namespace: string): Promise<Authority> {
  const secret = (await find(api, namespace)) ?? (await create(api, namespace)) ?? (await find(api, namespace));
  const where = `Secret ${namespace}/${AUTHORITY_SECRET}`;
  if (secret === undefined) throw new AuthorityFailure(`${where} is deleted as often as it is made; leave it alone`);
  const certificate = readEntry(secret, "tls.crt");
  const trusted = readEntry(secret, "ca.crt");
  const opened = await openAuthority({
    certificate,
    key: readEntry(secret, "tls.key"),
    trusted: trusted === "" ? certificate : trusted,
  });
  if (opened.ok) return opened.value;
  throw new AuthorityFailure(
    `${where} cannot be the authority of proxies: ${opened.error}; correct it, or delete it and restart the controller ` +
      "(a new one is made, and every proxy gets a new certificate)",
  );
}

async function find(api: KubeApi, namespace: string): Promise<ApiObject | undefined> {
  try {
    return await api.send({ method: "GET", path: `${toPath(namespace)}/${AUTHORITY_SECRET}` });
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 404) return undefined;
    throw error;
  }
}

/** Undefined where somebody else was faster. */
async function create(api: KubeApi, namespace: string): Promise<ApiObject | undefined> {
  const { certificate, keys } = await createAuthority("sallyport", DAYS);
  const pem = toCertificatePem(certificate);
  const entries = { "ca.crt": pem, "tls.crt": pem, "tls.key": await toKeyPem(keys.privateKey) };
  const body = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: AUTHORITY_SECRET, namespace, labels: { "app.kubernetes.io/managed-by": "sallyport" } },
    type: "kubernetes.io/tls",
    data: Object.fromEntries(Object.entries(entries).map(([name, text]) => [name, btoa(text)])),
  };
  try {
    return await api.send({ method: "POST", path: toPath(namespace), body });
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 409) return undefined;
    throw error;
  }
}

function toPath(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
}

/** "" where there is none. */
function readEntry({ data }: ApiObject, name: string): string {
  if (typeof data !== "object" || data === null || !Object.hasOwn(data, name)) return "";
  const text: unknown = Reflect.get(data, name);
  return typeof text === "string" ? Buffer.from(text, "base64").toString("utf8") : "";
}
