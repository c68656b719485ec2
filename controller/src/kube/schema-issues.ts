/** Turns what a compiled ajv validator reports into sentences a user can act on. */
import { suggestName } from "@sallyport/model/suggest";
import { parsePointer, readPath } from "./field-path.ts";
import type { FieldPath } from "./field-path.ts";
import type { FieldIssue } from "./field-issue.ts";
import type { SchemaError } from "./generated-kind.ts";

/** How values may appear in messages: those of Secrets never do. */
export type ValuePolicy = "show-values" | "hide-values";

/** What surrounds the errors of one validation. */
export interface IssueContext {
  /** The validated value. */
  readonly value: unknown;
  /** Where that value is in the object. */
  readonly base: FieldPath;
  readonly policy: ValuePolicy;
  /** Names of the fields there are at a path of the validated value. */
  readonly fieldsAt: (path: FieldPath) => readonly string[];
}

/** One issue per error, but for those that another one about the same value makes pointless. */
export function toIssues(errors: readonly SchemaError[], context: IssueContext): FieldIssue[] {
  const pathsOf = (keyword: string): ReadonlySet<string> =>
    new Set(errors.filter((error) => error.keyword === keyword).map((error) => error.instancePath));
  const tooLong = pathsOf("maxLength");
  const mistyped = pathsOf("type");
  const notOneOf = pathsOf("enum");
  const needsQuotes = new Set(
    errors.filter((error) => isWordWithoutQuotes(error, context)).map(({ instancePath }) => instancePath),
  );
  const isPointless = ({ keyword, instancePath }: SchemaError): boolean => {
    // The pattern of what is too long was not tried.
    if (keyword === "pattern") return tooLong.has(instancePath);
    if (keyword === "enum") return needsQuotes.has(instancePath) && mistyped.has(instancePath);
    return keyword === "type" && notOneOf.has(instancePath) && !needsQuotes.has(instancePath);
  };
  return errors.filter((error) => !isPointless(error)).map((error) => toIssue(error, context));
}

/** Whether the value would be one of the words if it were a text: `1.2` where "1.2" is one. */
function isWordWithoutQuotes({ keyword, instancePath, params }: SchemaError, { value }: IssueContext): boolean {
  const words = params["allowedValues"];
  if (keyword !== "enum" || !Array.isArray(words)) return false;
  const found = readPath(value, parsePointer(instancePath, value));
  return typeof found !== "string" && words.includes(String(found));
}

function toIssue(error: SchemaError, context: IssueContext): FieldIssue {
  const path = parsePointer(error.instancePath, context.value);
  if (error.keyword === "additionalProperties") return toUnknownField(error, path, context);
  if (error.keyword === "required") return toMissingField(error, path, context);
  const value = readPath(context.value, path);
  const { message, hint } = describe(error, value, context.policy);
  const issue = {
    code: "invalid-value",
    severity: "error",
    message,
    path: [...context.base, ...path],
    at: "value",
  } as const;
  return hint === undefined ? issue : { ...issue, hint };
}

function toUnknownField(error: SchemaError, path: FieldPath, context: IssueContext): FieldIssue {
  const name = String(error.params["additionalProperty"]);
  const allowed = context.fieldsAt(path);
  const suggestion = suggestName(name, allowed);
  const hint = suggestion === undefined ? `known fields here: ${allowed.join(", ")}` : `did you mean "${suggestion}"?`;
  const message = `unknown field ${quote(name)}`;
  return {
    code: "unknown-field",
    severity: "error",
    message,
    path: [...context.base, ...path, name],
    at: "name",
    hint,
  };
}

function toMissingField(error: SchemaError, path: FieldPath, context: IssueContext): FieldIssue {
  const name = String(error.params["missingProperty"]);
  const message = `${name} is required`;
  return { code: "invalid-value", severity: "error", message, path: [...context.base, ...path, name], at: "name" };
}

interface Description {
  readonly message: string;
  readonly hint?: string | undefined;
}

type Describe = (error: SchemaError, value: unknown, shown: string) => Description;

const descriptions: Readonly<Record<string, Describe>> = {
  type: describeType,
  enum: describeEnum,
  pattern: describePattern,
  format: (error, _value, shown) => ({
    message: error.params["format"] === "byte" ? "must be base64" : `${shown} is not a time like 2026-01-31T12:00:00Z`,
  }),
  minLength: (error, value, shown) => ({
    message: value === "" ? "must not be empty" : `${shown} is shorter than ${limitOf(error)} characters`,
  }),
  maxLength: (error, _value, shown) => ({ message: `${shown} is longer than ${limitOf(error)} characters` }),
  minimum: (error, _value, shown) => ({ message: `${shown} is less than ${limitOf(error)}` }),
  maximum: (error, _value, shown) => ({ message: `${shown} is more than ${limitOf(error)}` }),
  minItems: (error) => ({ message: `needs at least ${toEntries(error)}` }),
  maxItems: (error, value) => ({ message: `has ${sizeOf(value)} entries; at most ${limitOf(error)} are allowed` }),
  minProperties: (error) => ({ message: `needs at least ${toEntries(error)}` }),
  maxProperties: (error, value) => ({ message: `has ${sizeOf(value)} entries; at most ${limitOf(error)} are allowed` }),
};

function describe(error: SchemaError, value: unknown, policy: ValuePolicy): Description {
  const shown = policy === "hide-values" ? "the value" : quote(value);
  const known = descriptions[error.keyword];
  return known === undefined ? { message: `${shown} is not allowed (${error.keyword})` } : known(error, value, shown);
}

function describeType(error: SchemaError, value: unknown, shown: string): Description {
  const wanted = String(error.params["type"]);
  const word = toTypeWord(wanted);
  const words = wanted === "integer,string" ? "an integer or a string" : `${word === "integer" ? "an" : "a"} ${word}`;
  const given = wanted === "integer" && typeof value === "number" ? shown : toValueWords(value);
  return { message: `must be ${words}, not ${given}`, hint: toTypeHint(wanted, value, shown) };
}

function toTypeHint(wanted: string, value: unknown, shown: string): string | undefined {
  if (wanted === "string" && (typeof value === "number" || typeof value === "boolean"))
    return shown === "the value" ? "put it in quotes" : `put it in quotes: "${shown}"`;
  if (wanted === "integer" && typeof value === "string" && /^\d+$/.test(value)) return "write it without quotes";
  if (wanted === "array") return 'start each entry with "- "';
  return undefined;
}

function describeEnum(error: SchemaError, value: unknown, shown: string): Description {
  const allowed = Array.isArray(error.params["allowedValues"]) ? error.params["allowedValues"].map(String) : [];
  const suggestion =
    typeof value === "string" ? (suggestName(value, allowed) ?? findLonger(value, allowed)) : undefined;
  const message = `${shown} is not one of ${allowed.join(", ")}`;
  return suggestion === undefined ? { message } : { message, hint: `did you mean "${suggestion}"?` };
}

/** `PathPrefix` for `Prefix`: the one allowed value that has the word in it. */
function findLonger(word: string, allowed: readonly string[]): string | undefined {
  const longer = allowed.filter((value) => word.length > 2 && value.toLowerCase().includes(word.toLowerCase()));
  return longer.length === 1 ? longer[0] : undefined;
}

/** Patterns that have a name people know. */
const patternWords: ReadonlyMap<string, string> = new Map([
  [
    "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    'a DNS name: lower case letters, digits, "-" and "."',
  ],
  [
    "^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    'a DNS name in lower case, with or without "*." in front',
  ],
  ["^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", 'lower case letters, digits and "-"'],
  ["^([0-9]{1,5}(h|m|s|ms)){1,4}$", "a duration such as 500ms, 10s or 1h30m"],
  ["^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$", "the name of an HTTP header: letters, digits and !#$%&'*+-.^_`|~"],
  ["^[0-9]{1,12}(\\.[0-9]{1,3})?(Ki|Mi|Gi|Ti|k|M|G|T)?$", "a size such as 65536, 64Ki or 1.5M"],
  ["^[1-5][0-9]{2}(-[1-5][0-9]{2})?$", "a status such as 404, or a range such as 500-599"],
  ["^[ -:<-~]+$", 'the value of a cookie attribute: ASCII without ";"'],
  ["^/[!-:<-~]*$", 'the path of a cookie: it begins with / and has no spaces and no ";"'],
  ["^[!-~]([ -~]*[!-~])?$", "the value of a header field: one line of ASCII, without spaces at its ends"],
  ["^[A-Z0-9_-]+$", "the name of one cipher suite: ECDHE-RSA-AES128-GCM-SHA256, TLS_AES_128_GCM_SHA256"],
  ["^/[!-~]*$", "a path: it begins with / and has no spaces"],
  [
    "^[a-z0-9!#$&^_.+-]+/([a-z0-9!#$&^_.+-]+|\\*)$",
    "a media type in lower case without parameters, such as text/html or text/*",
  ],
  [
    "^(\\*|[A-Za-z0-9][-A-Za-z0-9_.]*(/(\\*|[A-Za-z0-9][-A-Za-z0-9_.]*)){0,2})$",
    "a place: region, region/zone or region/zone/subzone, where * stands for the rest",
  ],
]);

function describePattern(error: SchemaError, _value: unknown, shown: string): Description {
  const pattern = String(error.params["pattern"]);
  const words = patternWords.get(pattern);
  return { message: words === undefined ? `${shown} does not match ${pattern}` : `${shown} is not ${words}` };
}

function limitOf(error: SchemaError): string {
  return String(error.params["limit"]);
}

function toEntries(error: SchemaError): string {
  return error.params["limit"] === 1 ? "1 entry" : `${limitOf(error)} entries`;
}

function sizeOf(value: unknown): number {
  return Array.isArray(value) ? value.length : Object.keys(value ?? {}).length;
}

function toTypeWord(type: string): string {
  if (type === "array") return "list";
  if (type === "object") return "map";
  return type;
}

function toValueWords(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  return `a ${typeof value}`;
}

const longestShown = 60;

/** A value as it may appear in a message: on one line, cut where long. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= longestShown ? text : `${text.slice(0, longestShown)}...`;
}
