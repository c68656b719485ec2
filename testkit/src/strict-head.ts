// Start lines and field lines in their strictest reading (RFC 9112 sections 3, 4, 5); used by the strict reader.

/** One field line; value without the blanks around it. */
export interface Field {
  readonly name: string;
  readonly value: string;
}

interface StartLine {
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly version: string;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-~]+) (HTTP\/1\.[01])$/;
const STATUS_LINE = /^(HTTP\/1\.[01]) ([1-9][0-9]{2}) ([\t -~\u0080-\u00ff]*)$/;
const VALUE = /^[\t -~\u0080-\u00ff]*$/;

/** The request line, or what is wrong with it. */
export function parseRequestLine(line: string): StartLine | string {
  const match = REQUEST_LINE.exec(line);
  if (match === null) return "request line";
  return { method: match[1] ?? "", target: match[2] ?? "", status: 0, version: match[3] ?? "" };
}

/** The status line, or what is wrong with it. */
export function parseStatusLine(line: string): StartLine | string {
  const match = STATUS_LINE.exec(line);
  if (match === null) return "status line";
  return { method: "", target: "", status: Number(match[2]), version: match[1] ?? "" };
}

/** Field lines (without their CRLF), or what is wrong with the first bad one. */
export function parseFields(lines: readonly string[]): Field[] | string {
  const fields: Field[] = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    if (!TOKEN.test(name)) return `field name in ${JSON.stringify(line.slice(0, 60))}`;
    const value = line.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, "");
    if (!VALUE.test(value)) return `field value in ${JSON.stringify(line.slice(0, 60))}`;
    fields.push({ name, value });
  }
  return fields;
}
