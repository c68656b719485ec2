/** What is wrong with one field of an object: a Problem without the object and the file it stands in. */
import type { ProblemCode } from "@sallyport/model/problem";
import type { FieldPath } from "./field-path.ts";

/** One finding about one field. */
export interface FieldIssue {
  readonly code: ProblemCode;
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly path: FieldPath;
  /** What to point at: the field's name, or its value. */
  readonly at: "name" | "value";
  readonly hint?: string;
}
