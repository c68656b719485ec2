/** The heads of the requests that checks are. */
import { RequestHead } from "../head/request-head.ts";

const USER_AGENT = "sallyport-health-check";

/** What a request says; `fields` are whole lines with CRLF. */
export interface CheckHead {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly scheme: "http" | "https";
  readonly fields: string;
}

/** A head that goes out as it is: no id, for it is no request of anybody. */
export function toCheckHead({ method, path, host, scheme, fields }: CheckHead): RequestHead {
  const head = new RequestHead();
  const line = `${method} ${path} HTTP/1.1\r\n`;
  const hostLine = `host: ${host}\r\n`;
  head.text = `${line}${hostLine}user-agent: ${USER_AGENT}\r\n${fields}`;
  head.fieldsAt = line.length;
  head.hostFrom = line.length;
  head.hostTo = line.length + hostLine.length;
  head.method = method;
  head.target = path;
  head.scheme = scheme;
  head.settle(path, host);
  head.removeHeader("x-request-id");
  return head;
}
