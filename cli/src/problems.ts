/** How the command line shows problems. */
import { formatProblem, type Problem } from "@sallyport/model/problem";

/** Prints each problem on a line of stderr. */
export function printProblems(problems: readonly Problem[]): void {
  for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
}

/** `no problems`, or how many errors and warnings. */
export function countProblems(problems: readonly Problem[]): string {
  if (problems.length === 0) return "no problems";
  const errors = problems.filter((problem) => problem.severity === "error").length;
  return [plural(errors, "error"), plural(problems.length - errors, "warning")]
    .filter((part) => part !== "")
    .join(", ");
}

function plural(count: number, word: string): string {
  if (count === 0) return "";
  return count === 1 ? `1 ${word}` : `${count} ${word}s`;
}
