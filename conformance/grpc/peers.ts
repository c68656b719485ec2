// The peers of the gRPC suite as processes: grpc-go, built when first needed, and grpc-js.
import { fileURLToPath } from "node:url";
import { type RunningProcess, startProcess } from "@sallyport/testkit/process";
import { buildGo } from "../go-program.ts";
import type { CallOrder, CallResult } from "./calls.ts";
import type { ServerOrder } from "./node-server.ts";

/** Who made a peer. */
export type Maker = "go" | "js";

/** All of them. */
export const MAKERS: readonly Maker[] = ["go", "js"];

/** A running server of the Echo service. */
export interface GrpcServer {
  readonly maker: Maker;
  readonly port: number;
  /** Waits until it has told this event of this call. */
  told(event: "begun" | "waiting" | "ended", id: string): Promise<void>;
  /** Asks it to end once its calls have; resolves when it has gone, and fails if it had to be killed. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}

/** Calls that go on. */
export interface CallLoad {
  /** Ends it; how often each outcome came, as `code message`, in which `0` is OK. */
  finish(): Promise<Readonly<Record<string, number>>>;
}

/** What peers print. */
interface Line {
  readonly port?: number;
  readonly event?: "begun" | "waiting" | "ended" | "stopped" | "calling";
  readonly id?: string;
  readonly results?: readonly CallResult[];
  readonly tally?: Readonly<Record<string, number>>;
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const GO_PEER = { name: "grpc-peer", directory: here("go"), usually: "half a minute" };
/** Milliseconds for what a peer does in one go. */
const PATIENCE = 30_000;

/** Starts a server. */
export async function openServer(maker: Maker, order: Partial<ServerOrder> = {}): Promise<GrpcServer> {
  const child = await start(maker, "server", { cert: "", key: "", maxConnectionAge: 0, ...order });
  const port = await awaitLine(child, (line) => line.port);
  return {
    maker,
    port,
    told: async (event, id) => {
      await awaitLine(child, (line) => line.event === event && line.id === id);
    },
    drain: async () => {
      child.kill("SIGTERM");
      await awaitLine(child, (line) => line.event === "stopped");
      await child.stop();
    },
    // a server that drains waits for calls that never end
    stop: () => child.stop(0),
  };
}

/** Makes the calls of an order and resolves with what came of each. */
export async function makeCalls(maker: Maker, order: CallOrder): Promise<readonly CallResult[]> {
  const child = await start(maker, "client", order);
  try {
    return await awaitLine(child, ({ results }) => results);
  } finally {
    await child.stop(0);
  }
}

/** Starts calls that go on until they are finished; resolves once the first has come back well. */
export async function startLoad(maker: Maker, order: CallOrder): Promise<CallLoad> {
  const child = await start(maker, "client", { ...order, untilTerminated: true });
  await awaitLine(child, (line) => line.event === "calling");
  return {
    finish: async () => {
      child.kill("SIGTERM");
      const tally = await awaitLine(child, (line) => line.tally);
      await child.stop(0);
      return tally;
    },
  };
}

async function start(maker: Maker, role: "client" | "server", order: object): Promise<RunningProcess> {
  const text = JSON.stringify(order);
  if (maker === "js") return startProcess(process.execPath, [here("node-peer.ts"), role, text]);
  return startProcess(await goPeer(), [role, text]);
}

/** The first thing that `find` finds in a line of its output; an Error with the output if it ends or nothing comes. */
async function awaitLine<T>(child: RunningProcess, find: (line: Line) => T | undefined | false): Promise<T> {
  let found: T | undefined | false;
  const isOver = (): boolean => {
    for (const line of child.output().split("\n").slice(0, -1)) {
      if (!line.startsWith("{")) continue;
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- printed by our own peers
      const told = JSON.parse(line) as Line;
      found ||= find(told);
    }
    return Boolean(found) || child.exit() !== undefined;
  };
  await child.signal.until(isOver, PATIENCE);
  if (found === undefined || found === false) {
    throw new Error(`a peer (exit ${child.exit() ?? "none"}) did not say what was awaited:\n${child.output()}`);
  }
  return found;
}

let built: Promise<string> | undefined;

/** Looked for once by every process. */
function goPeer(): Promise<string> {
  built ??= buildGo(GO_PEER, console.error);
  return built;
}
