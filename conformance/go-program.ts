// Go programs of the conformance suites: built once on a machine for all work trees of it, found by the hash of their sources.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** A program to be built from a Go module of this repository. */
export interface GoProgram {
  readonly name: string;
  /** The folder of its go.mod. */
  readonly directory: string;
  /** What is built; the module itself by default. */
  readonly package?: string;
  /** A program, or the tests of a package as one. */
  readonly kind?: "program" | "test";
  /** More arguments for `go build`. */
  readonly flags?: readonly string[];
  /** For -ldflags, besides what leaves out symbols. */
  readonly linkerFlags?: readonly string[];
  /** How long it takes on two cores when nothing of it is there, in words. */
  readonly usually: string;
}

const run = promisify(execFile);
const LARGEST_OUTPUT = 16 << 20;

/** Where what is built is kept, for all work trees of a user: below $XDG_CACHE_HOME, or ~/.cache. */
export const BUILD_DIRECTORY = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "sallyport", "go");

/** The path of the program, built if it is not there yet; `say` hears how long that takes. Throws an Error with Go's output. */
export async function buildGo(program: GoProgram, say: (line: string) => void): Promise<string> {
  const go = findGo();
  const built = join(BUILD_DIRECTORY, `${program.name}-${await hashOf(program, go)}`);
  if (existsSync(built)) return built;
  await mkdir(BUILD_DIRECTORY, { recursive: true });
  await using _lock = await openLock(`${built}.lock`, () => say(`waiting for another build of ${program.name}`));
  if (existsSync(built)) return built;
  say(`building ${program.name} (usually ${program.usually})`);
  const began = performance.now();
  const draft = `${built}.${randomUUID()}`;
  try {
    await run(go, buildArguments(program, draft), {
      cwd: program.directory,
      env: { ...process.env, CGO_ENABLED: "0" },
      maxBuffer: LARGEST_OUTPUT,
    });
    await rename(draft, built);
  } catch (error) {
    await rm(draft, { force: true });
    // The message of the cause has what Go said.
    throw new Error(`cannot build ${program.name}; ${await needOf(program)} and, once, the module proxy`, {
      cause: error,
    });
  }
  say(`built ${program.name} in ${Math.round((performance.now() - began) / 1000)} s`);
  return built;
}

/** A lock between processes that goes away with its holder, however that ends. */
export async function openLock(path: string, onWait: () => void): Promise<AsyncDisposable> {
  const attempt = holdLock(path, ["--nonblock"]);
  if (await isHeld(attempt)) return heldBy(attempt);
  onWait();
  const holder = holdLock(path, []);
  if (!(await isHeld(holder))) throw new Error(`cannot lock ${path}: is flock (util-linux) there?`);
  return heldBy(holder);
}

function heldBy(holder: ChildProcess): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      const released = once(holder, "exit");
      holder.stdin?.end();
      await released;
    },
  };
}

/** flock holds the lock while cat waits for the end of its input, which is when we close it or end. */
function holdLock(path: string, flags: readonly string[]): ChildProcess {
  const holder = spawn("flock", [...flags, path, "sh", "-c", "echo; exec cat"], { stdio: ["pipe", "pipe", "ignore"] });
  return holder;
}

async function isHeld(holder: ChildProcess): Promise<boolean> {
  const over = new AbortController();
  try {
    return await Promise.race([
      holder.stdout === null ? false : once(holder.stdout, "data", { signal: over.signal }).then(() => true),
      once(holder, "exit", { signal: over.signal }).then(() => false),
    ]);
  } finally {
    over.abort();
  }
}

function findGo(): string {
  const usual = "/usr/local/go/bin/go";
  return existsSync(usual) ? usual : "go";
}

function buildArguments(program: GoProgram, output: string): string[] {
  const command = program.kind === "test" ? ["test", "-c"] : ["build"];
  const linker = ["-s", "-w", ...(program.linkerFlags ?? [])].join(" ");
  const flags = ["-trimpath", "-mod=readonly", "-ldflags", linker, ...(program.flags ?? [])];
  return [...command, ...flags, "-o", output, program.package ?? "."];
}

async function needOf({ directory }: GoProgram): Promise<string> {
  const module = await readFile(join(directory, "go.mod"), "utf8");
  return `needs Go ${/^go (\S+)/m.exec(module)?.[1] ?? ""} or newer (https://go.dev/dl)`;
}

async function hashOf(program: GoProgram, go: string): Promise<string> {
  const hash = createHash("sha256");
  const { stdout } = await run(go, ["version"], { cwd: program.directory }).catch(async (error: unknown) => {
    throw new Error(`building ${program.name}: ${await needOf(program)}`, { cause: error });
  });
  hash.update(`${stdout}${buildArguments(program, "").join("\0")}`);
  for (const name of (await readdir(program.directory)).toSorted()) {
    if (/\.go$|^go\.(mod|sum)$/.test(name))
      hash.update(`\0${name}\0`).update(await readFile(join(program.directory, name)));
  }
  return hash.digest("hex").slice(0, 16);
}
