/** The files of the project as git sees them: tracked ones and new ones that are not ignored. */
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** One file, with `/` in its path, relative to the root of the work tree. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const ROOT = dirname(dirname(import.meta.dirname));
const CODE = /\.(ts|mjs|js|sh)$/;
const GENERATED = /(^|\/)generated\/|\.generated\./;

/** All text files. */
export function listFiles(): SourceFile[] {
  const names = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  const files: SourceFile[] = [];
  for (const path of names.split("\0")) {
    const bytes = path === "" ? undefined : read(join(ROOT, path));
    if (bytes !== undefined && !bytes.includes(0)) files.push({ path, text: bytes.toString("utf8") });
  }
  return files;
}

/** True for code that people write. */
export function isCode(path: string): boolean {
  return CODE.test(path) && !isGenerated(path);
}

/** True for what a script of ours writes; no rule about form holds there. */
export function isGenerated(path: string): boolean {
  return GENERATED.test(path);
}

/** True for code that only tests run. */
export function isTest(path: string): boolean {
  return /\.(test|bench|contract)\.ts$/.test(path) || /^[a-z]+\/test\//.test(path) || path.startsWith("testkit/");
}

function read(file: string): Buffer | undefined {
  // Listed by git, yet deleted in the work tree, or a symbolic link to a folder.
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(file) : undefined;
}
