/**
 * Reporter of node:test for `npm test`: silent about what passes, complete about what fails. The counts go to the file
 * named by SALLYPORT_TEST_COUNTS, where scripts/test.ts reads them; it prints the closing line of each stage.
 */
import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { EventData } from "node:test";
import type { TestEvent } from "node:test/reporters";
import { setTimeout } from "node:timers/promises";
import { inspect } from "node:util";

/** What a finished stage reports. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Kinds of handles (sockets, servers, timers) that were still open after the last test. */
  readonly leaks: readonly string[];
}

/** Tests that take longer are named, so that a slow one does not creep in unseen. Milliseconds. */
const SLOW = 5_000;
/** How long after the last test a handle may still take to close. Milliseconds. */
const LEAK_GRACE = 3_000;
/** The standard streams of this process. */
const OWN_HANDLES = new Set(["PipeWrap", "TTYWrap"]);
/** A difference of two big values says all it has to say in its first lines. */
const MOST_LINES = 60;
const MOST_COLUMNS = 300;

/** Turns the events of a run into what a person wants to read. */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const output = new Map<string, string[]>();
  const parents: string[] = [];
  for await (const event of source) {
    switch (event.type) {
      case "test:start":
        parents.length = event.data.nesting;
        parents[event.data.nesting] = event.data.name;
        break;
      case "test:stdout":
      case "test:stderr":
        keepOutput(output, event.data);
        break;
      case "test:pass":
        yield passed(event.data);
        break;
      case "test:fail":
        yield failed(event.data, parents.slice(0, event.data.nesting), output);
        break;
      case "test:summary":
        if (event.data.file === undefined) yield await finish(event.data.counts);
        break;
      default:
    }
  }
}

function keepOutput(output: Map<string, string[]>, { file, message }: EventData.TestStdout): void {
  const lines = output.get(file ?? "") ?? [];
  lines.push(message);
  output.set(file ?? "", lines);
}

function passed(data: EventData.TestPass): string {
  if (data.skip !== undefined)
    return `  skipped: ${data.name}${typeof data.skip === "string" ? ` (${data.skip})` : ""}\n`;
  if (data.details.type === "suite" || data.details.duration_ms < SLOW) return "";
  return `  slow (${(data.details.duration_ms / 1000).toFixed(1)} s): ${data.name} [${place(data)}]\n`;
}

function failed(data: EventData.TestFail, parents: readonly string[], output: Map<string, string[]>): string {
  const { error } = data.details;
  // A suite fails when one of its tests does; that one has been reported.
  if ("failureType" in error && error.failureType === "subtestsFailed") return "";
  const name = [...parents, data.name].join(" > ");
  const printed = output.get(data.file ?? "")?.join("") ?? "";
  output.delete(data.file ?? "");
  const context = printed === "" ? "" : indent(`printed by the file:\n${printed}`);
  return `\nFAILED  ${name}\n        at ${place(data)}\n${indent(describe(error.cause ?? error))}${context}\n`;
}

function describe(error: unknown): string {
  const lines = inspect(error, { depth: 4, breakLength: 100 }).split("\n");
  const ours = lines.filter((line) => !/^ {4,}at .*node:internal/.test(line));
  const shown = ours.slice(0, MOST_LINES).map((line) => line.slice(0, MOST_COLUMNS));
  return [...shown, ...(ours.length > MOST_LINES ? [`... ${ours.length - MOST_LINES} more lines`] : [])].join("\n");
}

function place({ file, line, column }: { file?: string; line?: number; column?: number }): string {
  return `${relative(process.cwd(), file ?? "unknown file")}:${line ?? 0}:${column ?? 0}`;
}

function indent(text: string): string {
  return `${text.trimEnd().replace(/^/gm, "        ")}\n`;
}

async function finish(counts: EventData.TestSummary["counts"]): Promise<string> {
  const { tests, passed, skipped, todo } = counts;
  const leaks = await openHandles();
  const result: TestCounts = {
    passed,
    failed: tests - passed - skipped - todo + (leaks.length > 0 ? 1 : 0),
    skipped: skipped + todo,
    leaks,
  };
  const file = process.env["SALLYPORT_TEST_COUNTS"];
  if (file !== undefined) writeFileSync(file, JSON.stringify(result));
  return leaks.length > 0 ? `\nFAILED  all tests ended, but one of them left open: ${leaks.join(", ")}\n` : "";
}

/** What still keeps this process alive, apart from its standard streams. Waits for what is closing. */
async function openHandles(): Promise<string[]> {
  const deadline = performance.now() + LEAK_GRACE;
  for (;;) {
    const open = process.getActiveResourcesInfo().filter((kind) => !OWN_HANDLES.has(kind));
    if (open.length === 0 || performance.now() > deadline) return open;
    // With a reference: nothing else may be left to keep the process alive until the counts are written.
    await setTimeout(20);
  }
}
