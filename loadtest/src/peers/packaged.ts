// What the peers that are installed programs have in common.
import type { Launch } from "../processes.ts";
import { findTool, type ToolName } from "../tools.ts";
import type { Availability } from "./peer.ts";

/** Whether the program is installed and starts. */
export function availabilityOf(name: ToolName): Availability {
  const tool = findTool(name);
  return tool.kind === "found" ? { kind: "available", version: tool.version } : tool;
}

/** Starts the installed program with these arguments. */
export function launchTool(name: ToolName, args: readonly string[]): Launch {
  const tool = findTool(name);
  if (tool.kind === "missing") throw new Error(tool.reason);
  return { command: tool.path, args, env: tool.env };
}
