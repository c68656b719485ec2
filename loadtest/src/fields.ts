// Decodes the JSON that passes between the harness and its own processes.

/** Reads fields of one object by name; each throws, naming the field, when its type is another. */
export interface Fields {
  number(name: string): number;
  text(name: string): string;
  has(name: string): boolean;
}

/** The fields of a value that must be an object; `what` names it in errors. */
export function fieldsOf(given: unknown, what: string): Fields {
  if (typeof given !== "object" || given === null)
    throw new Error(`${what} is not an object: ${JSON.stringify(given)}`);
  const fields = new Map<string, unknown>(Object.entries(given));
  return {
    has: (name) => fields.has(name),
    number(name) {
      const value = fields.get(name);
      // JSON writes NaN, the percentile of nothing, as null.
      if (value === null) return Number.NaN;
      if (typeof value !== "number") throw new Error(`${what} has no number ${name}`);
      return value;
    },
    text(name) {
      const value = fields.get(name);
      if (typeof value !== "string") throw new Error(`${what} has no text ${name}`);
      return value;
    },
  };
}
