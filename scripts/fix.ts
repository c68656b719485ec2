/** `npm run fix`: formats everything and applies the fixes that lint knows to be safe. */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";

const root = dirname(import.meta.dirname);
for (const [program, ...args] of [["oxlint", "--type-aware", "--fix"], ["oxfmt"]] as const) {
  const { status } = spawnSync(join(root, "node_modules", ".bin", program), args, { cwd: root, stdio: "inherit" });
  // Lint exits with 1 while something is left that a person must fix; formatting still makes sense then.
  if (status !== 0) process.exitCode = 1;
}
