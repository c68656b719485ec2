/** Checks the operator's access log options before anything starts. */
import { compileAccessFormat } from "../observe/access-format.ts";
import type { AccessOutput } from "../observe/access-log.ts";
import { WallClock } from "../observe/access-time.ts";
import { resolveOutput } from "../observe/line-output.ts";
import { StartFailure, type AccessLogOptions } from "./contract.ts";

/** What workers are told; undefined where the log is off. Throws a StartFailure where it cannot work. */
export function resolveAccessLog({ to, format }: AccessLogOptions): AccessOutput | undefined {
  if (to === "off") return undefined;
  const compiled = compileAccessFormat(format, { clock: new WallClock(), environment: process.env });
  if (!compiled.ok) throw new StartFailure(compiled.error);
  try {
    const target = resolveOutput(to);
    return format === undefined ? { target } : { target, format };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StartFailure(`the access log cannot be written to ${to}: ${why}`, { cause });
  }
}
