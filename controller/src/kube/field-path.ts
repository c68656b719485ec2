/** Paths of fields inside an object, as steps and as the text users read: `spec.rules[0].matches`. */

/** One step of a path: a field name or a list index. */
export type PathStep = string | number;

/** Where something is in an object, from the top. */
export type FieldPath = readonly PathStep[];

const plainName = /^[A-Za-z_$][\w$-]*$/;

/** `["spec", "rules", 0]` -> `spec.rules[0]`; names that would be ambiguous are quoted: `metadata.labels["a.b/c"]`. */
export function formatFieldPath(path: FieldPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (plainName.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

/** The inverse of `formatFieldPath`; undefined for a text that is no path. */
export function parseFieldPath(text: string): FieldPath | undefined {
  const steps: PathStep[] = [];
  const token = /\.?([A-Za-z_$][\w$-]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (match === null) return undefined;
    const [, name, index, quoted] = match;
    if (name !== undefined) steps.push(name);
    else if (index !== undefined) steps.push(Number(index));
    else steps.push(parseQuoted(quoted ?? '""'));
  }
  return steps;
}

/** The steps of a JSON pointer, with indexes as numbers where the value they lead into is a list. */
export function parsePointer(pointer: string, root: unknown): FieldPath {
  const steps: PathStep[] = [];
  let value = root;
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    const step = Array.isArray(value) ? Number(name) : name;
    steps.push(step);
    value = readStep(value, step);
  }
  return steps;
}

/** The value at the path; undefined where there is none. */
export function readPath(root: unknown, path: FieldPath): unknown {
  let value = root;
  for (const step of path) value = readStep(value, step);
  return value;
}

function readStep(value: unknown, step: PathStep): unknown {
  if (Array.isArray(value)) return typeof step === "number" ? value[step] : undefined;
  return isRecord(value) && typeof step === "string" && Object.hasOwn(value, step) ? value[step] : undefined;
}

/** Whether a value is an object with named fields (no list, not null). */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseQuoted(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : text;
  } catch {
    return text;
  }
}
