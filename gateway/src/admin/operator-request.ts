/**
 * Request heads of operators' HTTP clients, read strictly: what is not plainly HTTP/1.1 is refused, bodies are not taken.
 */
import { fail, ok, type Result } from "@sallyport/model/result";

/** What an operator asks. */
export interface OperatorRequest {
  /** `HEAD` shows as GET. */
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Without the body in the answer. */
  readonly headOnly: boolean;
  /** By lower-case name; repeated ones joined with ", ". */
  header(name: string): string | undefined;
}

const REQUEST_LINE = /^([A-Z]{1,16}) (\/[!-~]*) HTTP\/1\.[01]$/;
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t -~\u0080-\u00ff]*)$/;

/** Reads a head without its final empty line, as latin1 text; the failure is for the client. */
export function parseOperatorRequest(head: string): Result<OperatorRequest, string> {
  const [first = "", ...lines] = head.split("\r\n");
  const match = REQUEST_LINE.exec(first);
  if (match === null) return fail("malformed request line");
  const headers = parseFields(lines);
  if (!headers.ok) return headers;
  const [, method = "", target = ""] = match;
  const [path = "", ...query] = target.split("?");
  return ok({
    method: method === "HEAD" ? "GET" : method,
    headOnly: method === "HEAD",
    path,
    query: new URLSearchParams(query.join("?")),
    header: (name) => headers.value.get(name),
  });
}

function parseFields(lines: readonly string[]): Result<ReadonlyMap<string, string>, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, field, text = ""] = FIELD_LINE.exec(line) ?? [];
    if (field === undefined) return fail("malformed header field");
    const name = field.toLowerCase();
    const before = headers.get(name);
    if (name === "host" && before !== undefined) return fail("several Host fields");
    const value = text.trimEnd();
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return ok(headers);
}
