/** What a stream of a client begins with, and the lines its answer goes out with. */
import { flatten } from "../head/flat-string.ts";
import { dateLine } from "../head/http-date.ts";
import type { ResponseHead } from "../head/response-head.ts";
import type { CompiledBind, Runtime } from "../router/contract.ts";
import type { Http2Server } from "./server.ts";

/** What a stream takes from its connection when it begins. */
export interface StreamStart {
  readonly server: Http2Server;
  readonly id: number;
  readonly runtime: Runtime;
  readonly bind: CompiledBind;
  readonly outdated: boolean;
  readonly startedAt: number;
}

/** What undated lines became last: the same text again is known to be the same by whoever encodes it. */
const last = { lines: "", date: "", dated: "" };

/** The field lines of an answer, dated (RFC 9110 section 6.6.1), and without a length where it must have none (section 8.6). */
export function toLines(answer: ResponseHead): string {
  const head = answer.status === 204 ? answer.withoutLength() : answer;
  const lines = head.toFieldLines();
  if (head.dated) return lines;
  const date = dateLine();
  if (lines !== last.lines || date !== last.date) {
    last.dated = head.lookup("date") === undefined ? flatten(lines + date) : lines;
    last.lines = lines;
    last.date = date;
  }
  return last.dated;
}
