// Ends a run early without leaving anything behind.
import type { Bench } from "./bench.ts";

/** On SIGINT and SIGTERM: stops all processes of the bench, removes its folder, and exits as the signal would have. */
export function stopOnSignal(program: string, bench: Bench): void {
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.once(signal, () => {
      console.error(`${program}: ${signal}: stopping what was started`);
      void bench.close().finally(() => process.exit(code));
    });
  }
}
