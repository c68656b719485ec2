// How the suites that are commands of their own run: what they started ends with them, and what stops them is told in a line.

/** Runs it; an error is printed, and makes the exit code 1. */
export async function runCommand(main: () => Promise<void>): Promise<void> {
  // An exit, not the bare signal, so that what was started ends too.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
  try {
    await main();
  } catch (error) {
    const { message, cause } = error instanceof Error ? error : new Error(String(error));
    console.error(`error: ${message}${cause instanceof Error ? `\n${cause.message}` : ""}`);
    process.exitCode = 1;
  }
}
