/**
 * V8 joins strings lazily: what was put together from parts is copied together when it is written, every time. A string
 * that will be written again is worth copying once.
 */

/** The same string; if it was made of parts, they are together afterwards. */
export function flatten(text: string): string {
  // reading a character makes V8 put the parts together in place
  text.charCodeAt(text.length - 1);
  return text;
}
