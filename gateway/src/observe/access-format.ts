/**
 * Formats of access log lines. A format is either text with operators (`%REQ(:METHOD)% %RESPONSE_CODE%`), or a JSON object
 * whose values are such texts; without one, lines are JSON with the fields Istio's mesh logs by default. A format is
 * compiled once to fixed text and closures; writing a line is concatenation.
 */
import { fail, ok, type Result } from "@sallyport/model/result";
import { DEFAULT_FIELDS, readDefaultFields } from "./access-default.ts";
import { EMPTY, compileOperator, type OperatorContext, type OperatorValue } from "./access-operators.ts";
import type { LoggedRecord } from "./logged-record.ts";
import type { TextPair, TextPart } from "./text-parts.ts";

/** A value of a line, not escaped, one character a byte; undefined where there is none. */
export type AccessValue = string | number | TextPart | TextPair | undefined;

/** The values of a line, in the order of its fields. */
export type AccessRow = readonly AccessValue[];

/** What a line is made of. Fixed text is UTF-8 with one character a byte. */
export interface AccessFormat {
  /** How values are escaped and what stands for a missing one: null in JSON, - in text. */
  readonly style: "json" | "text";
  /** All values of a line; what can be put off is done later, from the row. */
  readonly read: (record: LoggedRecord) => AccessRow;
  readonly fields: readonly AccessField[];
  /** What follows the last field; ends with a line feed. */
  readonly tail: string;
}

/** A value and the fixed text before it. */
export interface AccessField {
  readonly before: string;
  readonly value: OperatorValue;
}

/** Envoy's default text format. */
const DEFAULT_TEXT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% " +
  '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"';

/** What stands for a missing value. */
export const MISSING: Readonly<Record<AccessFormat["style"], string>> = { json: "null", text: "-" };

/** Fixed text, or a value. */
type Piece = string | OperatorValue;

/** Compiles the operator's format: `json` (or none), `text`, an object or a text. The failure says what is wrong with it. */
export function compileAccessFormat(
  format: string | undefined,
  context: OperatorContext,
): Result<AccessFormat, string> {
  if (format === undefined || format === "json") {
    const compiled = toAccessFormat("json", compileObject(DEFAULT_FIELDS, context));
    const read = (record: LoggedRecord): AccessRow => readDefaultFields(record, context.clock);
    return compiled.ok ? ok({ ...compiled.value, read }) : compiled;
  }
  if (format === "text") return toAccessFormat("text", parseFormat(DEFAULT_TEXT, context));
  if (format.trimStart().startsWith("{")) return toAccessFormat("json", compileJson(format, context));
  return toAccessFormat("text", parseFormat(format, context));
}

function compileJson(format: string, context: OperatorContext): Result<readonly Piece[], string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(format);
  } catch (cause) {
    return fail(
      `the access log format begins with { but is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
  return compileObject(parsed, context);
}

function compileObject(node: unknown, context: OperatorContext): Result<readonly Piece[], string> {
  if (typeof node === "string") return compileMember(node, context);
  if (typeof node !== "object" || node === null || Array.isArray(node)) return ok([JSON.stringify(node)]);
  const pieces: Piece[] = [];
  for (const [name, value] of Object.entries(node)) {
    pieces.push(`${pieces.length === 0 ? "{" : ","}${JSON.stringify(name)}:`);
    const member = compileObject(value, context);
    if (!member.ok) return member;
    pieces.push(...member.value);
  }
  pieces.push(pieces.length === 0 ? "{}" : "}");
  return ok(pieces);
}

/** A value that is one operator keeps its type (number, null); one among text becomes part of a string. */
function compileMember(text: string, context: OperatorContext): Result<readonly Piece[], string> {
  const parts = parseFormat(text, context);
  if (!parts.ok) return parts;
  const pieces = parts.value;
  if (pieces.length === 1 && typeof pieces[0] === "function") return parts;
  const fixed = pieces.filter((piece) => typeof piece === "string");
  if (fixed.length === pieces.length) return ok([JSON.stringify(fixed.join(""))]);
  return ok([
    (record): string => {
      let joined = "";
      for (const piece of pieces) joined += typeof piece === "string" ? toBytes(piece) : (piece(record) ?? "-");
      return joined;
    },
  ]);
}

const OPERATOR = /%([A-Z0-9_]+)(?:\(([^)]*)\))?(?::(\d+))?%|%%/g;

/** Splits a format into fixed text and operators. */
function parseFormat(format: string, context: OperatorContext): Result<readonly Piece[], string> {
  const parts: Piece[] = [];
  let end = 0;
  for (const match of format.matchAll(OPERATOR)) {
    const before = format.slice(end, match.index);
    if (before.includes("%")) return fail(describeStray(before));
    if (before !== "") parts.push(before);
    end = match.index + match[0].length;
    const [, name, argument, length] = match;
    if (name === undefined) {
      parts.push("%");
      continue;
    }
    const value = compileOperator(name, argument, context);
    if (!value.ok) return value;
    parts.push(length === undefined ? value.value : truncate(value.value, Number(length)));
  }
  const rest = format.slice(end);
  if (rest.includes("%")) return fail(describeStray(rest));
  if (rest !== "") parts.push(rest);
  return ok(parts);
}

function describeStray(text: string): string {
  return `in the access log format, ${JSON.stringify(text.slice(text.indexOf("%")))} does not begin with an operator such as %PROTOCOL% or %REQ(HOST)%; a percent sign is %%`;
}

function truncate(value: OperatorValue, length: number): OperatorValue {
  return (record) => {
    const found = value(record);
    return typeof found === "string" ? found.slice(0, length) : found;
  };
}

/** Joins fixed text between two values, so that each value has exactly one text before it. */
function toAccessFormat(
  style: AccessFormat["style"],
  pieces: Result<readonly Piece[], string>,
): Result<AccessFormat, string> {
  if (!pieces.ok) return pieces;
  const fields: AccessField[] = [];
  let text = "";
  for (const piece of pieces.value) {
    if (typeof piece === "string") text += toBytes(piece);
    else if (piece === EMPTY) text += MISSING[style];
    else {
      fields.push({ before: text, value: piece });
      text = "";
    }
  }
  const read = (record: LoggedRecord): AccessRow => fields.map((field) => field.value(record));
  return ok({ style, read, fields, tail: text.endsWith("\n") ? text : `${text}\n` });
}

/** UTF-8, one character a byte: lines are written as latin1. */
function toBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
