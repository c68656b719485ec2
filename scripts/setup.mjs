// Makes the work tree ready to run: the packages of package-lock.json and, with them, the Node that runs Sallyport.
// Plain JavaScript for Node 20, because it runs before anything is installed. `node scripts/setup.mjs` does only this.
import { spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The root of the work tree. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const modules = join(root, "node_modules");
const runtime = join(modules, "node", "bin", "node");
const lock = join(root, ".cache", "setup.lock");
/** Node runs TypeScript by stripping its types, without a flag or a warning, from here on. */
const OLDEST_OWN_NODE = [24, 12];
/** Fails fast where there is no network; npm's own defaults retry for over a minute. */
const NPM_OPTIONS = [
  "--include=dev",
  "--include=optional",
  "--no-audit",
  "--no-fund",
  "--prefer-offline",
  "--loglevel=error",
  "--fetch-retries=2",
  "--fetch-retry-mintimeout=500",
  "--fetch-retry-maxtimeout=3000",
];
const NETWORK_ERROR = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ENOTCACHED)\b/;

/** Why set-up could not be done, in words for the person at the terminal. */
class SetupError extends Error {}

/**
 * Makes everything ready and resolves with the path of the Node to run Sallyport with. Does nothing (in about 20 ms) when
 * all is in place. Ends the process with a message when it cannot be done.
 */
export async function setUp() {
  try {
    if (packagesState() !== "current" || !existsSync(runtime)) await alone(prepare);
    return existsSync(runtime) ? runtime : process.execPath;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`\nsallyport: ${error.message}`);
    process.exit(1);
  }
}

/** Two commands started side by side must not both install: the second waits for the first. */
async function alone(work) {
  mkdirSync(dirname(lock), { recursive: true });
  for (let waited = false; !takeLock(); waited = true) {
    if (!waited) say("another command is setting up; waiting for it");
    await setTimeout(200);
  }
  try {
    await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function takeLock() {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw new SetupError(`cannot write ${lock}: ${error.message}`);
  }
  // Left behind by a process that was killed: the next look takes it.
  if (!isAlive(Number(readLockFile()))) rmSync(lock, { force: true });
  return false;
}

function readLockFile() {
  try {
    return readFileSync(lock, "utf8");
  } catch {
    return "";
  }
}

function isAlive(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}

async function prepare() {
  await installPackages();
  await provideRuntime();
}

async function installPackages() {
  const state = packagesState();
  if (state === "current") return;
  const started = performance.now();
  say(
    state === "absent"
      ? "installing the packages of package-lock.json (first run; takes 10 to 60 seconds)"
      : "package-lock.json has changed; updating node_modules",
  );
  await runNpm(state === "absent" ? ["ci"] : ["install", "--no-save"]);
  say(`packages ready after ${seconds(started)} s`);
}

/** Compares what npm installed (it keeps its own list in node_modules) with what package-lock.json asks for. */
function packagesState() {
  const installed = readLock(join(modules, ".package-lock.json"));
  if (installed === undefined) return "absent";
  const wanted = readLock(join(root, "package-lock.json"));
  if (wanted === undefined) throw new SetupError("package-lock.json is missing or broken: restore it from git.");
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.startsWith("node_modules/") || entry.link) continue;
    const found = installed[path];
    // Packages for other platforms are optional and not installed.
    if (found === undefined ? !entry.optional : found.version !== entry.version) return "stale";
  }
  return "current";
}

function readLock(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}

/**
 * The Node from the npm package `node`, pinned in package.json. Its install script fetches the binary as a package of its
 * own; where scripts are off (`ignore-scripts`), that package is fetched here.
 */
async function provideRuntime() {
  if (existsSync(runtime)) return;
  const version = JSON.parse(readFileSync(join(modules, "node", "package.json"), "utf8")).version;
  const name = `node-${process.platform}-${process.arch}`;
  const started = performance.now();
  say(
    `the install script of the npm package \`node\` did not run (ignore-scripts?); fetching ${name}@${version} instead`,
  );
  try {
    await fetchRuntime(`${name}@${version}`, name);
    say(`Node ${version} ready after ${seconds(started)} s`);
  } catch (error) {
    if (!(error instanceof SetupError) || !ownNodeIsNewEnough()) throw error;
    say(`could not fetch it; using the Node that is running (${process.version})`);
  }
}

async function fetchRuntime(spec, name) {
  const place = join(root, ".cache", "runtime");
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  await runNpm(["install", "--prefix", place, "--no-save", "--ignore-scripts", spec]);
  mkdirSync(dirname(runtime), { recursive: true });
  copyFileSync(join(place, "node_modules", name, "bin", "node"), runtime);
  chmodSync(runtime, 0o755);
  rmSync(place, { recursive: true, force: true });
  const link = join(modules, ".bin", "node");
  rmSync(link, { force: true });
  symlinkSync("../node/bin/node", link);
}

function ownNodeIsNewEnough() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major > OLDEST_OWN_NODE[0] || (major === OLDEST_OWN_NODE[0] && minor >= OLDEST_OWN_NODE[1]);
}

async function runNpm(args) {
  const { code, signal, output } = await run([...npmCommand(), ...args, ...NPM_OPTIONS]);
  if (code === 0) return;
  const tail = output.trimEnd().split("\n").slice(-15).join("\n");
  const advice = NETWORK_ERROR.test(output)
    ? "The package registry cannot be reached. The first run needs the network (or a filled npm cache).\n" +
      "Check the connection, HTTPS_PROXY and `npm config get registry`, then run the same command again."
    : "Run `npm ci` by hand to see all of it; once it succeeds, run the same command again.";
  throw new SetupError(`npm ${args[0]} failed (exit ${code ?? signal}).\n\n${tail}\n\n${advice}`);
}

/** Whoever ends us ends npm too: left alone, it would go on writing into node_modules. */
function run([command, ...args]) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    const end = (signal) => {
      child.kill("SIGTERM");
      child.once("exit", () => {
        rmSync(lock, { force: true });
        process.exit(128 + constants.signals[signal]);
      });
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, end);
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.on("error", (error) => reject(new SetupError(`cannot run npm: ${error.message}. Is npm on the PATH?`)));
    child.on("close", (code, signal) => {
      for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.removeListener(name, end);
      resolve({ code, signal, output: Buffer.concat(chunks).toString() });
    });
  });
}

/** The npm that runs us, if one does: the one on the PATH may be another. */
function npmCommand() {
  const path = process.env.npm_execpath;
  if (path !== undefined && /npm-cli\.c?js$/.test(path)) return [process.execPath, path];
  return ["npm"];
}

function say(text) {
  console.error(`sallyport: ${text}`);
}

function seconds(started) {
  return ((performance.now() - started) / 1000).toFixed(1);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await setUp();
