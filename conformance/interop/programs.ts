// Programs from elsewhere that the suites call: found, or an Error that says how to get them.
import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";

/** How a program ended; `output` is standard output, then standard error. */
export interface Ended {
  readonly code: number;
  readonly output: string;
}

/** The packages of Debian that hold them. */
const PACKAGES = {
  curl: "curl",
  nghttp: "nghttp2-client",
  h2load: "nghttp2-client",
  nghttpd: "nghttp2-server",
  nginx: "nginx-light",
  "chromium-headless-shell": "chromium-headless-shell",
} as const;

/** A program the suites know how to get. */
export type Program = keyof typeof PACKAGES;

const run = promisify(execFile);
const CACHE = fileURLToPath(new URL("../../.cache/interop", import.meta.url));
const H2 = "h2==4.3.0";
/** What Debian has on the path for Chromium is a script that does not pass signals on; daemons are not on everybody's path. */
const DIRECTORIES = ["/usr/lib/chromium", ...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"];
/** Milliseconds for one run. */
const PATIENCE = 60_000;
const LARGEST_OUTPUT = 64 << 20;

/** The path of a program. */
export async function findProgram(program: Program): Promise<string> {
  for (const directory of DIRECTORIES) if (await exists(`${directory}/${program}`)) return `${directory}/${program}`;
  throw new Error(`the interop suite needs ${program}: apt-get install ${PACKAGES[program]}`);
}

/** Runs a program to its end, whatever that is. */
export async function runProgram(program: Program, args: readonly string[]): Promise<Ended> {
  return runCommand(await findProgram(program), args);
}

/** Runs a command to its end, whatever that is; an Error where it cannot be run at all or does not end. */
export async function runCommand(command: string, args: readonly string[]): Promise<Ended> {
  try {
    const { stdout, stderr } = await run(command, args, { timeout: PATIENCE, maxBuffer: LARGEST_OUTPUT });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    if (error instanceof Error && "stdout" in error && "stderr" in error && "code" in error) {
      if (typeof error.code === "number")
        return { code: error.code, output: String(error.stdout) + String(error.stderr) };
    }
    throw error;
  }
}

/** A Python that has h2, the HTTP/2 of hyper. */
export async function pythonWithH2(): Promise<string> {
  const venv = `${CACHE}/${H2}`;
  const python = `${venv}/bin/python`;
  if (await exists(`${venv}/ready`)) return python;
  try {
    await run("python3", ["-m", "venv", "--clear", venv]);
    await run(python, ["-m", "pip", "install", "--quiet", H2]);
    await run(python, ["-c", `import h2; open(${JSON.stringify(`${venv}/ready`)}, "w")`]);
  } catch (error) {
    throw new Error(`the interop suite needs Python 3 with venv, and once ${H2} from PyPI`, { cause: error });
  }
  return python;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
