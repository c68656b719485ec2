/** Lines of a log that say enough of what went wrong. */
const TAIL = 40;

/** The very last of a controller's log, for those who read why a test failed; `.ci/failures.mjs` looks for its first line. */
export function tellEnd(log: string): string {
  return `the end of the controller's log:\n${log.trimEnd().split("\n").slice(-TAIL).join("\n")}`;
}
