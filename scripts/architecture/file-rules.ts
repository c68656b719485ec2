/** Rules about the form of single files that lint does not know. */
import { isCode, isTest, type SourceFile } from "./source-files.ts";

const MOST_LINES = 300;
const DECLARATION =
  /^export (?:declare )?(?:async )?(?:abstract )?(?:function\*?|const|let|class|interface|type)\s+(\w+)/;

/**
 * Text that belongs to a machine or to a way of working, not to the project. Written in pieces, so that this file does
 * not catch itself.
 */
const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [new RegExp(["(^|[^\\w.-])/", "(work|root|home/\\w+)/"].join("")), "an absolute path of one machine"],
  [new RegExp(["\\.\\./", "shared\\b"].join("")), "a path outside the repository"],
  [
    new RegExp(
      [
        "registry\\.",
        "npmjs|\\bpypi\\.",
        "org|proxy\\.",
        "golang\\.org|deb\\.",
        "debian\\.org|files\\.pythonhosted",
      ].join(""),
    ),
    "the host of a package registry",
  ],
];

/** A file that is too long to be read in one go. */
export function lengthProblems({ path, text }: SourceFile): string[] {
  const lines = text.split("\n").length - 1;
  return isCode(path) && lines > MOST_LINES ? [`${path} has ${lines} lines (at most ${MOST_LINES})`] : [];
}

/** Exports without a doc comment, and files that do not say what they are for. */
export function commentProblems({ path, text }: SourceFile): string[] {
  if (!isCode(path) || (isTest(path) && !path.startsWith("testkit/src/")) || /\.(test|bench)\.ts$/.test(path))
    return [];
  const lines = text.split("\n");
  const problems: string[] = [];
  const first = lines[0]?.startsWith("#!") === true ? lines[1] : lines[0];
  if (first === undefined || !/^(\/\/|\/\*|#)/.test(first))
    problems.push(`${path}: does not begin by saying what it is for`);
  lines.forEach((line, index) => {
    const name = DECLARATION.exec(line)?.[1];
    if (name !== undefined && !isDocumented(lines, index, name)) {
      problems.push(`${path}:${index + 1}: export ${name} has no doc comment`);
    }
  });
  return problems;
}

/** Machine paths, registry hosts and the like. */
export function foreignProblems({ path, text }: SourceFile): string[] {
  return text
    .split("\n")
    .flatMap((line, index) =>
      FOREIGN.filter(([pattern]) => pattern.test(line)).map(([, what]) => `${path}:${index + 1}: names ${what}`),
    );
}

/** A `/** ... *\/` ends on the line before; an overload is documented by its first signature. */
function isDocumented(lines: readonly string[], index: number, name: string): boolean {
  for (let above = index - 1; above >= 0; above--) {
    const line = lines[above]?.trim() ?? "";
    if (line === "" || line.startsWith("// oxlint-") || line.startsWith("@")) continue;
    if (line.endsWith("*/")) return isDocBlock(lines, above);
    return new RegExp(`^export (async )?function ${name}\\b.*;$`).test(line) && isDocumented(lines, above, name);
  }
  return false;
}

function isDocBlock(lines: readonly string[], end: number): boolean {
  for (let index = end; index >= 0; index--) {
    const line = lines[index]?.trim() ?? "";
    if (line.startsWith("/*")) return line.startsWith("/**");
  }
  return false;
}
