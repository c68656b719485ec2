// Golden files: what a pure function gave when somebody last read and approved it.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";

/**
 * Compares text with a golden file and throws with the difference. `npm test -- --update` rewrites the file instead, when
 * it differs or is missing; then the diff in git is what there is to review.
 */
export function assertGolden(file: string, actual: string): void {
  const expected = read(file);
  if (actual === expected) return;
  const name = relative(process.cwd(), file);
  if (process.env["UPDATE_GOLDENS"] === "1") {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, actual);
    return;
  }
  assert.ok(expected !== undefined, `there is no golden file ${name}; \`npm test -- --update\` writes it`);
  assert.equal(actual, expected, `differs from ${name}; \`npm test -- --update\` rewrites it`);
}

/** As `assertGolden`, for a value: compared and kept as indented JSON with a final newline. */
export function assertGoldenJson(file: string, actual: unknown): void {
  assertGolden(file, `${JSON.stringify(actual, undefined, 2)}\n`);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
