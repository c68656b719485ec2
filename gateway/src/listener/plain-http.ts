/** Plain HTTP on a port for TLS: a common slip, which deserves a clear word instead of a closed connection. */
import { toLatin1 } from "../wire/latin1.ts";

const TEXT = "This port speaks TLS. Use https:// instead of http://.\n";

/** The answer (nginx has its code 497 for this; what clients see is 400). */
export const PLAIN_ON_TLS = `HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: ${TEXT.length}\r\nconnection: close\r\n\r\n${TEXT}`;

/** Bytes of the longest method that is looked for. */
const MAX_METHOD = 20;

/** Whether these first bytes look like a request: a method in capitals and something behind it. */
export function readsAsHttp(bytes: Buffer): "yes" | "no" | "perhaps" {
  const start = toLatin1(bytes, 0, Math.min(bytes.length, MAX_METHOD + 2));
  if (/^[A-Z]{3,20} [!-~]/.test(start)) return "yes";
  return /^[A-Z]{1,20}$|^[A-Z]{3,20} $/.test(start) ? "perhaps" : "no";
}
