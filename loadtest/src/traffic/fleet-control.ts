// Starts the fleet and tells its endpoints what to do.
import { join } from "node:path";
import type { Bench } from "../bench.ts";
import { fieldsOf } from "../fields.ts";
import { pollUntilReady } from "../probe.ts";
import { repository } from "../tools.ts";
import type { Behaviour, EndpointCounts } from "./behaviour.ts";

/** A running fleet. */
export interface Fleet {
  readonly ports: readonly number[];
  /** Resolves when the endpoint does so. */
  behave(port: number, behaviour: Behaviour): Promise<void>;
  /** What each has seen since the fleet was started, by port. */
  counts(): Promise<ReadonlyMap<number, EndpointCounts>>;
}

/** Starts so many endpoints, all serving. */
export async function startFleet(bench: Bench, size: number): Promise<Fleet> {
  const control = await bench.takePort();
  const ports: number[] = [];
  while (ports.length < size) ports.push(await bench.takePort());
  const program = join(repository, "loadtest/src/traffic/fleet.ts");
  const running = await bench.processes.start({
    name: "fleet",
    launch: { command: process.execPath, args: [program, String(control), ...ports.map(String)] },
    directory: bench.newFolder("fleet"),
    processors: bench.layout.backend,
  });
  const ask = async (path: string, init?: RequestInit): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${control}${path}`, init);
    const body = await answer.text();
    if (!answer.ok) throw new Error(`the fleet: ${body}`);
    return body;
  };
  await pollUntilReady(running, async () => void (await ask("/counts")));
  return {
    ports,
    behave: async (port, behaviour) => void (await ask(`/${port}`, { method: "PUT", body: JSON.stringify(behaviour) })),
    counts: async () => decodeCounts(await ask("/counts")),
  };
}

function decodeCounts(text: string): ReadonlyMap<number, EndpointCounts> {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== "object" || parsed === null) throw new Error("the fleet tells no counts");
  return new Map(
    Object.entries(parsed).map(([port, value]) => {
      const fields = fieldsOf(value, "counts");
      return [
        Number(port),
        {
          requests: fields.number("requests"),
          first: fields.number("first"),
          lastRequestAt: fields.number("lastRequestAt"),
        },
      ];
    }),
  );
}
