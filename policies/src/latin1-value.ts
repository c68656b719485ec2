/** Values of fields as people write them. */

/** Header text is latin1 (one character, one byte); what a person wrote beyond ASCII goes out as UTF-8. */
export function toLatin1Value(value: string): string {
  return String.fromCharCode(...new TextEncoder().encode(value));
}
