/**
 * Names of the objects that the proxies of a Gateway are made of, and the labels they are known by (GEP-1762: resources are
 * named `GATEWAY-CLASS` and labelled with the Gateway's name). Gateways may have 253 characters, Services and label values 63:
 * what is too long is cut and ends in a hash of all of it.
 */

/** Label that GEP-1762 has on everything made for a Gateway. */
export const GATEWAY_NAME_LABEL = "gateway.networking.k8s.io/gateway-name";

const LONGEST = 63;

/** Name of the Deployment, the Service, the ServiceAccount and whatever else a Gateway of this class gets, in its namespace. */
export function toProxyName(gateway: { readonly name: string }, className: string): string {
  const full = `${gateway.name}-${className}`;
  const plain = full.replaceAll(".", "-");
  const sound = /^[a-z]/.test(plain) ? plain : `gateway-${plain}`;
  return sound === full && sound.length <= LONGEST ? sound : cut(sound, full);
}

/**
 * Name of the Service that brings traffic to a Gateway. There is one for each address in `spec.addresses`: with a value it asks
 * for that address and no other, without one (and where no addresses are asked for) it takes what it is given.
 */
export function toServiceName(gateway: { readonly name: string }, className: string, address = ""): string {
  const name = toProxyName(gateway, className);
  return address === "" ? name : cut(name, `${gateway.name}-${className} ${address.toLowerCase()}`);
}

/** The value of GATEWAY_NAME_LABEL. */
export function toGatewayLabel(gateway: { readonly name: string }): string {
  return gateway.name.length <= LONGEST ? gateway.name : cut(gateway.name, gateway.name);
}

/** `text` cut so that it ends with the hash of `full` within 63 characters. */
function cut(text: string, full: string): string {
  const hash = hashText(full);
  const head = text.slice(0, LONGEST - hash.length - 1).replace(/[-._]+$/, "");
  return `${head}-${hash}`;
}

/** FNV-1a of 64 bits (draft-eastlake-fnv), base 36: names of one namespace must not meet by chance; nobody is kept out by it. */
function hashText(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(36).padStart(13, "0").slice(-10);
}
