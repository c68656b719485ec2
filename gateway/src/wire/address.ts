/** Addresses as sockets tell them. */

/** IPv4 that came to a socket for both families, as what it is; anything else as it stands. */
export function unmapAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
