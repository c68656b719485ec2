// A gateway for tests of HTTP/2: one listener that takes prior knowledge, a backend that is part of the test, and a well-behaved
// client that is served while others are not.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect, type ClientHttp2Session } from "node:http2";
import { freePorts } from "@sallyport/testkit/process";
import { RawUpstream, type Script } from "@sallyport/testkit/raw-upstream";
import { plain } from "../faults/asking.ts";
import { startSystem } from "../system.ts";

/** What tests of HTTP/2 work with. */
export interface Http2Edge {
  readonly port: number;
  readonly upstream: RawUpstream;
  /** Sets how the backend answers, and forgets what it saw. */
  begin(script?: Script): void;
  /** Runs an attack while another client asks again and again; each of its answers must be a 200. */
  whileOthersAreServed<T>(attack: () => Promise<T>): Promise<T>;
  /** Resident memory of the gateway, in bytes; 0 where a peer is under test. */
  memory(): number;
  stop(): Promise<void>;
}

/** Starts it. */
export async function openHttp2Edge(): Promise<Http2Edge> {
  const upstream = await RawUpstream.open(() => plain());
  const others = await RawUpstream.open(() => plain());
  const [port = 0, otherPort = 0] = await freePorts(2);
  const system = await startSystem([
    { port, backend: upstream.port },
    { port: otherPort, backend: others.port },
  ]);
  return {
    port,
    upstream,
    begin: (script = () => plain()) => upstream.begin(script),
    whileOthersAreServed: async (attack) => {
      const session = connect(`http://127.0.0.1:${otherPort}`);
      const isOver = { value: false };
      const served = serve(session, isOver);
      try {
        return await attack();
      } finally {
        isOver.value = true;
        await served.finally(() => session.destroy());
      }
    },
    memory: () => (system.sallyport === undefined ? 0 : residentMemory(system.sallyport.process.pid)),
    stop: async () => {
      const epitaph = system.epitaph();
      await system.stop();
      await upstream.close();
      await others.close();
      assert.equal(epitaph, undefined);
    },
  };
}

async function serve(session: ClientHttp2Session, isOver: { readonly value: boolean }): Promise<void> {
  do assert.equal(await askOnce(session), 200);
  while (!isOver.value);
}

function askOnce(session: ClientHttp2Session): Promise<number> {
  return new Promise((resolve, reject) => {
    let status = 0;
    const stream = session.request({ ":path": "/other", ":authority": "a.test" });
    stream.setTimeout(15_000, () => reject(new Error("another client waits for its answer")));
    stream.on("response", (fields) => (status = Number(fields[":status"])));
    stream.on("error", reject);
    stream.on("close", () => resolve(status));
    stream.resume();
  });
}

/** Of a process and its children. */
function residentMemory(pid: number): number {
  const pages = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  const below = children === "" ? [] : children.split(" ").map(Number);
  return Number(pages) * 1024 + below.reduce((sum, child) => sum + residentMemory(child), 0);
}
