// The conformance suites as node:test: `npm run conformance:tests [-- FRAGMENT...]` runs the test files whose path holds one
// of the fragments; without fragments, all but those that have a command of their own (conformance:protocol, :jury, :ingress,
// :policies).
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { dirname, join } from "node:path";

const OWN_COMMAND = /\/(protocol|jury|ingress|policies\/policies)\.test\.ts$/;

const fragments = process.argv.slice(2);
const wanted = (file: string): boolean =>
  fragments.length === 0 ? !OWN_COMMAND.test(file) : fragments.some((fragment) => file.includes(fragment));
const files = globSync("conformance/**/*.test.ts", { exclude: ["**/node_modules/**"] })
  .toSorted()
  .filter(wanted);
if (files.length === 0) {
  console.error(`no test file under conformance/ matches ${fragments.join(" ")}`);
  process.exit(1);
}
/** Files whose first test may have to build or install a program, and wait for a cluster: the limit is for what hangs, on any machine. */
const BUILDING = /\/(cluster|controller|gateway-api|grpc|helm|http2|interop|jury|tls)\//;
const minutes = files.some((file) => BUILDING.test(file)) ? 15 : 5;
// One file at a time: each starts gateways of its own, and some measure time.
const chance = `--import=${join(dirname(import.meta.dirname), "scripts", "test-chance.ts")}`;
const options = ["--test", chance, "--test-concurrency=1", `--test-timeout=${minutes * 60_000}`];
const child = spawn(process.execPath, [...options, ...files], { stdio: "inherit" });
child.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
