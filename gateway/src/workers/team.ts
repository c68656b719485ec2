/** All workers of a process behind one face: an engine in the supervisor's own thread, or a crew of threads. */
import type { WorkerView, TestHooks } from "../admin/source.ts";
import type { AccessOutput } from "../observe/access-log.ts";
import type { Log } from "../observe/log.ts";
import type { ResolvedOptions } from "./defaults.ts";
import { Crew } from "./crew.ts";
import type { Member } from "./member.ts";
import { attachMemory, type MemorySetup, type SharedMemory } from "./memory.ts";
import { ThreadMember } from "./thread-member.ts";

/** The workers as the supervisor steers them. */
export interface Team {
  /** Those that serve. */
  members(): readonly Member[];
  /** Where all bind the same ports, these are tried before; see TwoPhase. */
  readonly ports: "exclusive" | "shared";
  readonly died: number;
  readonly hung: number;
  inspect(): Promise<readonly WorkerView[]>;
  /** From here on the dead are not replaced. */
  stopReplacing(): void;
  close(): Promise<void>;
  readonly hooks: TestHooks | undefined;
}

/** What a team is made of. */
export interface TeamOptions {
  readonly options: ResolvedOptions;
  readonly memory: MemorySetup;
  readonly accessLog: AccessOutput | undefined;
  readonly log: Log;
  /** Gives a new worker the configuration in force. */
  readonly join: (member: Member, onJoined: () => void) => Promise<void>;
}

/** Milliseconds a worker may take to tell its state to people. */
const INSPECT_PATIENCE = 1_000;

/** Starts all workers; rejects with a StartFailure where that fails. */
export function openTeam(options: TeamOptions): Promise<Team> {
  return options.options.workers === 1 ? openSolo(options) : openCrew(options);
}

async function openSolo({ options, memory, accessLog, log }: TeamOptions): Promise<Team> {
  // Only a process with one isolate carries the data plane in its main thread.
  const { openLocalMember } = await import("./local-member.ts");
  const member = openLocalMember({
    worker: 0,
    workers: 1,
    memory: attachMemory(memory, 0),
    accessLog,
    labels: options.labels,
    log,
    beat: options.heartbeat.interval,
  });
  return {
    members: () => [member],
    ports: "exclusive",
    died: 0,
    hung: 0,
    inspect: async () => [{ worker: 0, state: "serving", engine: await member.inspect() }],
    stopReplacing: () => undefined,
    close: () => member.close(),
    hooks: undefined,
  };
}

async function openCrew({ options, memory, accessLog, log, join }: TeamOptions): Promise<Team> {
  const shared = attachMemory(memory, options.workers);
  const crew = new Crew({
    count: options.workers,
    interval: options.heartbeat.interval,
    misses: options.heartbeat.misses,
    log,
    beats: (worker) => shared.control.beats(worker),
    clear: (worker) => clear(shared, worker),
    join,
    start: (worker, events) => {
      const { labels, log: logOptions, heartbeat } = options;
      const output = accessLog === undefined ? {} : { accessLog };
      const setup = { worker, memory, labels, logFormat: logOptions.format, beat: heartbeat.interval, ...output };
      return new ThreadMember(setup, events);
    },
  });
  await crew.start();
  return {
    members: () => crew.members,
    ports: "shared",
    get died() {
      return crew.died;
    },
    get hung() {
      return crew.hung;
    },
    inspect: () => inspectCrew(crew),
    stopReplacing: () => crew.stopReplacing(),
    close: () => crew.close(),
    hooks: toTestHooks(crew),
  };
}

/** What a dead worker was in the middle of ends here; what it counted stays. False: not all of it could be cleared yet. */
function clear({ control, cells, active, limits }: SharedMemory, worker: number): boolean {
  cells.clearGauges(worker);
  control.clearWorker(worker);
  const isActiveClear = active.clearWorker(worker);
  return limits.clearWorker(worker) && isActiveClear;
}

function inspectCrew(crew: Crew): Promise<readonly WorkerView[]> {
  const views = crew.states.map(async (state, worker): Promise<WorkerView> => {
    const thread = crew.thread(worker);
    if (thread === undefined || state === "loading") return { worker, state };
    const { promise: tooLate, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(resolve, INSPECT_PATIENCE, undefined);
    const engine = await Promise.race([thread.inspect().catch(() => undefined), tooLate]);
    clearTimeout(timer);
    return engine === undefined ? { worker, state: `${state}, does not answer` } : { worker, state, engine };
  });
  return Promise.all(views);
}

function toTestHooks(crew: Crew): TestHooks | undefined {
  if (process.env["SALLYPORT_TEST_HOOKS"] !== "1") return undefined;
  const act = (worker: number, action: (thread: ThreadMember) => void): boolean => {
    const thread = crew.thread(worker);
    if (thread !== undefined) action(thread);
    return thread !== undefined;
  };
  return {
    terminate: (worker) => act(worker, (thread) => thread.terminate("terminated by a test")),
    hang: (worker) => act(worker, (thread) => thread.hang()),
  };
}
