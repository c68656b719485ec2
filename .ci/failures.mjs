// What a failed stage said that explains it, in some 60 lines: `node .ci/failures.mjs LOG`. Whoever reads a CI sees its last lines
// alone: which tests failed, their messages, the end of the controller's log where there was one, and the very end.
import { readFileSync } from "node:fs";

/** Lines for what failed, for the controller's log, and for the end. */
const MOST = { failures: 30, log: 12, end: 10 };
const MOST_COLUMNS = 240;
/** Of failures that are not told. */
const MOST_NAMES = 10;
/** Lines of one failure: its first say what is wrong, its last what that led to. */
const HEAD = 10;
const TAIL = 4;
/** node:test, `npm test` and `npm run check`, the official suite, then findings of a line each. */
const FAILURE = /^(test at |FAILED {2}|---- |(short|error|lacking|idle): )/;
const LOG = /the end of the controller's log:$/;
/** Says where in Node or a library; the frames of our own files stay. */
const FOREIGN_FRAME = /^\s+at .*(node:|node_modules)/;

const lines = readFileSync(process.argv[2] ?? "", "utf8")
  .replaceAll(/\u001b\[[0-9;]*m/g, "")
  .split(/\r?\n|\r/)
  .filter((line) => line.trim() !== "" && !FOREIGN_FRAME.test(line))
  .map((line) => (line.length > MOST_COLUMNS ? `${line.slice(0, MOST_COLUMNS)}...` : line));
const failures = tellFailures();
const shown = [...failures, ...tellLog()];
const end = lines.slice(-(failures.length === 0 ? MOST.failures + MOST.end : MOST.end));
console.log([...shown, ...(shown.length > 0 ? ["... and at the very end:"] : []), ...end].join("\n"));

function tellFailures() {
  const starts = lines.flatMap((line, index) => (FAILURE.test(line) ? [index] : []));
  const told = [];
  for (const [nth, start] of starts.entries()) {
    const failure = lines.slice(start, starts[nth + 1]);
    const cut = failure.length > HEAD + TAIL + 1;
    const kept = cut ? [...failure.slice(0, HEAD), "  ...", ...failure.slice(-TAIL)] : failure;
    if (told.length + kept.length > MOST.failures) {
      const names = starts.slice(nth).map((at) => lines[lines[at].startsWith("test at ") ? at + 1 : at]);
      return [...told, `... and ${names.length} more:`, ...names.slice(0, MOST_NAMES)];
    }
    told.push(...kept);
  }
  return told;
}

/** The last of it: a stage may have several, and the failure that is told first is the likeliest cause of the others. */
function tellLog() {
  const start = lines.findIndex((line) => LOG.test(line));
  if (start < 0) return [];
  const after = lines.slice(start + 1, start + 41);
  const end = after.findIndex((line) => !line.includes('"level":"'));
  return [lines[start], ...(end < 0 ? after : after.slice(0, end)).slice(-MOST.log)];
}
