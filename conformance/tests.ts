// The conformance suites as node:test: `npm run conformance:tests [-- FRAGMENT...]` runs the test files whose path holds one.
import { spawn } from "node:child_process";
import { globSync } from "node:fs";

const fragments = process.argv.slice(2);
const files = globSync("conformance/**/*.test.ts", { exclude: ["**/node_modules/**"] })
  .toSorted()
  .filter((file) => fragments.length === 0 || fragments.some((fragment) => file.includes(fragment)));
if (files.length === 0) {
  console.error(`no test file under conformance/ matches ${fragments.join(" ")}`);
  process.exit(1);
}
// One file at a time: each starts gateways of its own, and some measure time.
const child = spawn(process.execPath, ["--test", "--test-concurrency=1", "--test-timeout=180000", ...files], {
  stdio: "inherit",
});
child.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
