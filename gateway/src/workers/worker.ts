/** The entry of a worker thread: an engine that does what the supervisor asks over messages. */
import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "@sallyport/model/result";
import { IsolateDataPlane } from "../data-plane.ts";
import { Engine } from "../engine.ts";
import { Log } from "../observe/log.ts";
import { attachMemory } from "./memory.ts";
import { returnSpareMemory } from "./spare-memory.ts";
import type { FromWorker, ToWorker, WorkerRequest, WorkerSetup } from "./messages.ts";

function serve(): void {
  const port = parentPort;
  invariant(port !== null, "this module is the entry of a worker thread");
  // Ours: ThreadMember passes nothing else.
  // oxlint-disable-next-line no-unsafe-type-assertion
  const setup = workerData as WorkerSetup;
  const send = (message: FromWorker): void => port.postMessage(message);
  const memory = attachMemory(setup.memory, setup.worker);
  const log = new Log({
    format: setup.logFormat,
    sink: (line) => send({ kind: "log", line }),
    level: memory.control.logLevel,
    now: Date.now,
    context: { worker: setup.worker },
  });
  const { worker, accessLog, labels, beat } = setup;
  const plane = new IsolateDataPlane({
    worker,
    workers: setup.memory.workers,
    memory,
    accessLog,
    labels,
    log,
    beat,
  });
  const engine = new Engine(plane, memory.control);
  port.on("message", ({ id, request }: ToWorker) => {
    answer(engine, plane, request).then(
      (result) => send({ kind: "answer", id, answer: result }),
      (error: unknown) => send({ kind: "failed", id, error: toError(error) }),
    );
  });
  // Modules are loaded, and nothing is served yet.
  returnSpareMemory();
  send({ kind: "ready" });
}

/** Does one request. Preparing is the only one that takes long, and nothing else is asked meanwhile that depends on it. */
async function answer(engine: Engine, plane: IsolateDataPlane, request: WorkerRequest): Promise<unknown> {
  switch (request.kind) {
    case "prepare":
      return engine.prepare(request.change);
    case "settle":
      return engine.settle(request.outcome);
    case "inspect":
      return engine.inspect();
    case "retire":
      return engine.retire();
    case "move":
      return plane.moveTo(request.place);
    case "reopen-log":
      return plane.reopenLog();
    case "close":
      return engine.close();
    case "hang":
      for (;;);
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

serve();
