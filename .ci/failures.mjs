// What a failed stage said that explains it, in some 60 lines: `node .ci/failures.mjs LOG`. Whoever reads a CI sees its last lines
// alone: which tests failed, their messages, the end of the controller's log where there was one, and the very end.
import { readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";

/** Lines for what failed, for the controller's log, and for the end. */
const MOST = { failures: 30, log: 12, end: 10 };
const MOST_COLUMNS = 240;
/** Of failures that are not told. */
const MOST_NAMES = 10;
/** Lines of one failure: its first say what is wrong, its last what that led to. */
const HEAD = 10;
const TAIL = 4;
const MOST_BETWEEN = 6;
/** node:test, `npm test` and `npm run check`, the official suite, then findings of a line each. */
const FAILURE = /^(test at |FAILED {2}|---- |(short|error|lacking|idle): )/;
const LOG = /the end of the controller's log:$/;
/** Says where in Node or a library; the frames of our own files stay. */
const FOREIGN_FRAME = /^\s+at .*(node:|node_modules)/;

const lines = stripVTControlCharacters(readFileSync(process.argv[2] ?? "", "utf8"))
  .split(/\r?\n|\r/)
  .filter((line) => line.trim() !== "" && !FOREIGN_FRAME.test(line))
  .map((line) => (line.length > MOST_COLUMNS ? `${line.slice(0, MOST_COLUMNS)}...` : line));
const failures = tellFailures();
const shown = [...failures, ...tellLog()];
const end = lines.slice(-(failures.length === 0 ? MOST.failures + MOST.end : MOST.end));
const bridge = shown.length > 0 ? ["... and at the very end:"] : [];
process.stdout.write(`${[...shown, ...bridge, ...end].join("\n")}\n`);

function tellFailures() {
  const starts = lines.flatMap((line, index) => (FAILURE.test(line) ? [index] : []));
  const told = [];
  for (const [nth, start] of starts.entries()) {
    const failure = lines.slice(start, starts[nth + 1]);
    const kept = shorten(failure);
    if (told.length + kept.length > MOST.failures) {
      const names = starts.slice(nth).map((at) => lines[lines[at].startsWith("test at ") ? at + 1 : at]);
      return [...told, `... and ${names.length} more:`, ...names.slice(0, MOST_NAMES)];
    }
    told.push(...kept);
  }
  return told;
}

/** Its beginning, its end, and what is said of an error between. */
function shorten(failure) {
  if (failure.length <= HEAD + TAIL + 1) return failure;
  const between = failure.slice(HEAD, -TAIL).filter((line) => /\b(Error|Messages|FAIL|failed|timed out)\b/.test(line));
  return [...failure.slice(0, HEAD), "  ...", ...between.slice(-MOST_BETWEEN), ...failure.slice(-TAIL)];
}

/** The last of it: a stage may have several, and the failure that is told first is the likeliest cause of the others. */
function tellLog() {
  const start = lines.findIndex((line) => LOG.test(line));
  if (start < 0) return [];
  const after = lines.slice(start + 1, start + 41);
  const end = after.findIndex((line) => !line.includes('"level":"'));
  return [lines[start], ...(end < 0 ? after : after.slice(0, end)).slice(-MOST.log)];
}
