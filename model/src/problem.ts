/**
 * A Problem is what is wrong with a user's configuration. It is data, never an exception: file mode prints it with
 * file and line, the cluster turns it into a status condition.
 */

/** Every reason a piece of configuration can be refused or only partly used. */
export type ProblemCode =
  | "unreadable-file"
  | "yaml-syntax"
  | "not-an-object"
  | "missing-type"
  | "unsupported-kind"
  | "unknown-field"
  | "invalid-value"
  | "rule-violated"
  | "duplicate-object"
  | "invalid-name"
  | "unresolved-reference"
  | "reference-not-permitted"
  | "unsupported-value"
  | "not-attached"
  | "conflict"
  | "invalid-certificate"
  | "port-unavailable"
  | "limit-exceeded"
  | "not-served";

/** Names one Kubernetes object. `namespace` is "" for cluster-scoped kinds. */
export interface ObjectRef {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Where in the user's files something stands. Lines and columns count from 1. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One diagnostic. An `error` keeps the new configuration from being served; a `warning` does not. */
export interface Problem {
  readonly code: ProblemCode;
  readonly severity: "error" | "warning";
  /** What is wrong, as one sentence without trailing full stop. */
  readonly message: string;
  readonly object?: ObjectRef;
  /** Path of the offending field inside the object, e.g. `spec.rules[0].matches[1].path.value`. */
  readonly path?: string;
  readonly source?: SourceLocation;
  /** What to do about it. */
  readonly hint?: string;
}

/** Formats a problem for a terminal: `file:line:column: error: message (Kind ns/name, path); hint`. */
export function formatProblem(problem: Problem): string {
  const { source, object } = problem;
  const where = source === undefined ? "" : `${source.file}:${source.line}:${source.column}: `;
  const about: string[] = [];
  if (object !== undefined) about.push(`${object.kind} ${toObjectName(object)}`);
  if (problem.path !== undefined) about.push(problem.path);
  const context = about.length > 0 ? ` (${about.join(", ")})` : "";
  const hint = problem.hint === undefined ? "" : `; ${problem.hint}`;
  return `${where}${problem.severity}: ${problem.message}${context}${hint}`;
}

/** `namespace/name`, or just the name of a cluster-scoped object. */
function toObjectName(object: ObjectRef): string {
  return object.namespace === "" ? object.name : `${object.namespace}/${object.name}`;
}
