/**
 * Follows a controller: what it says is put in force, and kept for the next start. Where it is away the proxy serves on with what
 * it has, and a proxy that starts then serves what it had last.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { BackOff } from "@sallyport/model/back-off";
import type { RemoteFacts } from "../observe/metric-source.ts";
import { type Gateway, StartFailure } from "../workers/contract.ts";
import { ConnectionFailure, type FollowedController, type RemoteOptions } from "./contract.ts";
import { Identity } from "./identity.ts";
import { LastGood } from "./last-good.ts";
import type { VersionedSnapshot } from "./receiver.ts";
import { Session, type SessionEnd } from "./session.ts";
import { RemoteState } from "./state.ts";

/** Milliseconds between attempts to connect. */
const WAITS = { first: 250, longest: 15_000 };
const NOTHING: VersionedSnapshot = { snapshot: { resources: new Map() }, versions: new Map() };

/** Serves what was kept, then follows the controller until closed. Rejects where the state directory cannot be used. */
export async function followController(gateway: Gateway, options: RemoteOptions): Promise<FollowedController> {
  const follower = new Follower(gateway, options);
  await follower.restore();
  const running = follower.run();
  return {
    facts: () => follower.facts(),
    async close() {
      follower.close();
      await running;
    },
  };
}

class Follower {
  readonly #gateway: Gateway;
  readonly #options: RemoteOptions;
  readonly #state = new RemoteState();
  readonly #identity: Identity;
  readonly #lastGood: LastGood;
  readonly #backOff = new BackOff(WAITS, Math.random);
  readonly #abort = new AbortController();
  #held = NOTHING;
  #session: Session | undefined;

  constructor(gateway: Gateway, options: RemoteOptions) {
    const { log, stateDirectory: directory, group } = options;
    this.#gateway = gateway;
    this.#options = options;
    this.#identity = new Identity(options, (error) =>
      log.warn("the certificate cannot be renewed yet, the old one goes on", { error: toSentence(error) }),
    );
    this.#lastGood = new LastGood({
      directory,
      group,
      onFailure: (error) =>
        log.error("the last good configuration cannot be kept; a restart without controller would serve an older one", {
          directory,
          error,
        }),
    });
  }

  facts(): RemoteFacts {
    return this.#state.toFacts(this.#identity.expiresAt);
  }

  async restore(): Promise<void> {
    const { log } = this.#options;
    const found = await this.#lastGood.read().catch(failToKeep(this.#options.stateDirectory));
    if (found.kind === "none") return;
    if (found.kind === "unusable") {
      const { reason, movedTo } = found;
      return log.error("the configuration kept on disk cannot be used; waiting for the controller", {
        reason,
        movedTo,
      });
    }
    const { configuration } = found;
    const result = await this.#gateway.apply(configuration.snapshot);
    if (!result.applied) {
      const problems = result.problems.map(({ message }) => message);
      return log.error("the configuration kept on disk is refused; waiting for the controller", { problems });
    }
    this.#held = configuration;
    this.#state.restored = true;
    log.info("serving the configuration kept on disk until the controller answers", {
      resources: configuration.versions.size,
      epoch: result.epoch,
    });
  }

  /** Connects again and again. Only the log and the metrics tell of failures: traffic goes on. */
  async run(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      const end = await this.#connect();
      this.#state.connected = false;
      if (this.#abort.signal.aborted) break;
      if (end.kind === "renew") continue;
      this.#onFailure(end.failure);
      await sleep(this.#backOff.fail(), undefined, { signal: this.#abort.signal }).catch(() => undefined);
    }
    await this.#lastGood.settled();
  }

  close(): void {
    this.#abort.abort();
    this.#session?.close();
  }

  async #connect(): Promise<SessionEnd> {
    try {
      const certificate = await this.#identity.obtain();
      if (this.#abort.signal.aborted) return { kind: "renew" };
      this.#session = new Session({
        gateway: this.#gateway,
        remote: this.#options,
        held: this.#held,
        state: this.#state,
        onConnected: () => this.#onConnected(),
        onHeld: (configuration) => this.#hold(configuration),
      });
      return await this.#session.run(certificate, this.#identity.renewAt);
    } catch (error) {
      if (error instanceof ConnectionFailure) return { kind: "failed", failure: error };
      this.#options.log.error("following the controller failed unexpectedly", { error });
      return { kind: "failed", failure: new ConnectionFailure(toSentence(error), "retry", error) };
    } finally {
      this.#session = undefined;
    }
  }

  #onConnected(): void {
    const { log, controller, group } = this.#options;
    this.#state.onConnected();
    log.info("connected to the controller", { controller, group });
  }

  #hold(configuration: VersionedSnapshot): void {
    // Not before: a proxy that cannot put in force what it is sent would fetch all of it again and again without a pause.
    this.#backOff.reset();
    // By the first change of a stream everything is confirmed; where it was empty there is nothing new to keep.
    const isNew = this.#held.snapshot !== configuration.snapshot;
    this.#held = configuration;
    this.#state.restored = false;
    if (isNew) this.#lastGood.write(configuration);
  }

  #onFailure(failure: ConnectionFailure): void {
    this.#state.failures++;
    if (failure.cure === "certificate") this.#identity.forget();
    this.#options.log.warn("no connection to the controller, serving on with what is there; it is tried again", {
      controller: this.#options.controller,
      error: failure.message,
    });
  }
}

/** For the operator who started us. */
function failToKeep(directory: string): (cause: unknown) => never {
  return (cause) => {
    throw new StartFailure(
      `the directory ${directory} cannot be used (${toSentence(cause)}); name one that can be written with --state-dir`,
      { cause },
    );
  };
}

function toSentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
