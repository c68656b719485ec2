/** Node's TLS, loaded when a port or a connection first needs it. */
import type * as tls from "node:tls";

/**
 * Loads the module: an isolate that speaks no TLS does without, which spares it 4 MB (Node reads the certificates of all the
 * authorities it knows as soon as the module is loaded).
 */
export function openTls(): typeof tls {
  return process.getBuiltinModule("node:tls");
}
