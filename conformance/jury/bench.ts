// The judges' bench: gets what each judge needs, starts them, and hears what each of them made of the requests it got.
import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startProcess } from "@sallyport/testkit/process";
import type { RunningProcess } from "@sallyport/testkit/process";
import { buildGo } from "../go-program.ts";
import type { Judgement } from "./judgement.ts";

const run = promisify(execFile);
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const CACHE = here("../../.cache/jury");
const GO_JUDGE = { name: "jury", directory: here("go"), usually: "a few seconds" };
const H11 = "h11==0.16.0";

/** A running judge. */
export interface Judge {
  readonly name: string;
  readonly port: number;
  /** Requests it reported so far. */
  heard(): readonly Judgement[];
  readonly process: RunningProcess;
}

/** Starts all judges; an Error that says what is missing if one cannot be had. */
export async function seatJudges(): Promise<readonly Judge[]> {
  const judges: Judge[] = [];
  const seats: readonly (readonly [string, () => Promise<readonly string[]>])[] = [
    ["node:http", () => Promise.resolve([process.execPath, here("node-judge.ts")])],
    ["h11", async () => [await pythonWithH11(), here("h11_judge.py")]],
    ["go net/http", async () => [await buildGo(GO_JUDGE, console.error)]],
  ];
  try {
    for (const [name, prepare] of seats) {
      const command = await prepare();
      judges.push(await seat(name, command));
    }
    return judges;
  } catch (error) {
    await dismiss(judges);
    throw error;
  }
}

/** Ends all judges. */
export async function dismiss(judges: readonly Judge[]): Promise<void> {
  await Promise.all(judges.map((judge) => judge.process.stop(500)));
}

async function seat(name: string, command: readonly string[]): Promise<Judge> {
  const [file = "", ...args] = command;
  const child = startProcess(file, args);
  let read = 0;
  let port = 0;
  const judgements: Judgement[] = [];
  const heard = (): readonly Judgement[] => {
    const text = child.output();
    for (let end = text.indexOf("\n", read); end >= 0; end = text.indexOf("\n", read)) {
      const printed = text.slice(read, end);
      read = end + 1;
      // A judge's complaints (standard error) are not reports.
      if (!printed.startsWith("{")) continue;
      const line: unknown = JSON.parse(printed);
      if (isPort(line)) port = line.port;
      else if (isJudgement(line)) judgements.push(line);
    }
    return judgements;
  };
  await child.signal.until(() => child.output().includes("\n") || child.exit() !== undefined, 20_000);
  heard();
  if (port === 0) {
    await child.stop(500);
    throw new Error(`the judge ${name} did not start: ${child.output()}`);
  }
  return { name, port, heard, process: child };
}

function isPort(line: unknown): line is { readonly port: number } {
  return typeof line === "object" && line !== null && "port" in line;
}

/** The judges are programs of this folder: one name tells their lines from anything else. */
function isJudgement(line: unknown): line is Judgement {
  return typeof line === "object" && line !== null && "sha256" in line;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function pythonWithH11(): Promise<string> {
  const venv = `${CACHE}/${H11}`;
  const python = `${venv}/bin/python`;
  if (await exists(`${venv}/ready`)) return python;
  await need("python3", ["-m", "venv", "--clear", venv], "the judge h11 needs Python 3 with venv");
  await need(python, ["-m", "pip", "install", "--quiet", "--no-deps", H11], `the judge h11 needs ${H11} from PyPI`);
  await need(python, ["-c", `import h11; open(${JSON.stringify(`${venv}/ready`)}, "w")`], `${H11} does not load`);
  return python;
}

async function need(command: string, args: readonly string[], what: string): Promise<void> {
  try {
    await run(command, args);
  } catch (error) {
    throw new Error(`${what}; \`${[command, ...args].join(" ")}\` failed`, { cause: error });
  }
}
