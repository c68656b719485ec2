/** The Date field line, made once a second at most. */

let second = -1;
let line = "";

/** `date: ...` with CRLF, of this second (RFC 9110 section 6.6.1). */
export function dateLine(now: number = Date.now()): string {
  const current = Math.floor(now / 1000);
  if (current !== second) {
    second = current;
    line = `date: ${new Date(now).toUTCString()}\r\n`;
  }
  return line;
}
