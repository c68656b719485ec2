/**
 * Splits a file into its YAML documents without parsing it, so that documents can be parsed one at a time, and those that
 * did not change need not be parsed again. `---` at the start of a line ends a document wherever it stands (YAML 1.2
 * section 9.1.2), inside block scalars too, so the text alone decides.
 */

/** A stretch of a file that holds whole documents; nearly always one. */
export interface Chunk {
  readonly text: string;
  /** Line of the file, from 1, at which `text` begins. */
  readonly line: number;
}

/** The chunks of a file, in order. Chunks with comments only are left out. */
export function splitYaml(text: string): Chunk[] {
  // Directives belong to the document after them: too rare to be split.
  if (/(?:^|\n)%/.test(text)) return [{ text, line: 1 }];
  const chunks: Chunk[] = [];
  let start = 0;
  let line = 1;
  for (const end of [...toMarkers(text), text.length]) {
    const part = text.slice(start, end);
    if (!isBlank(part)) chunks.push({ text: part, line });
    line += countLines(part);
    start = end;
  }
  return chunks;
}

function toMarkers(text: string): number[] {
  return Array.from(text.matchAll(/\n---(?=[ \t\r\n]|$)/g), (match) => match.index + 1);
}

/** Whether there is nothing but white space, comments and the marker. */
function isBlank(part: string): boolean {
  let start = part.startsWith("---") ? 3 : 0;
  while (start < part.length) {
    const newline = part.indexOf("\n", start);
    const end = newline === -1 ? part.length : newline;
    const line = part.slice(start, end).trimStart();
    if (line !== "" && !line.startsWith("#")) return false;
    start = end + 1;
  }
  return true;
}

function countLines(part: string): number {
  let lines = 0;
  for (let index = part.indexOf("\n"); index !== -1; index = part.indexOf("\n", index + 1)) lines++;
  return lines;
}
