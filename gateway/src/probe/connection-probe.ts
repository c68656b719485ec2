/** A check by a connection: well is whose port can be connected to, with the cluster's TLS if it has any. */
import type { ProbeOptions, ProbeResult } from "../cluster/health/contract.ts";
import type { UpstreamDependencies } from "../exchange/dependencies.ts";
import { Timed } from "../time/wheel.ts";
import { Inlet } from "../wire/inlet.ts";
import { connectUpstream, type UpstreamSocketOwner } from "../wire/upstream-socket.ts";
import { toTarget } from "./target.ts";

/** Of nobody's connection: servers that wait for a PROXY header get one that speaks of themselves (versions 1 and 2, sections 2.1, 2.2). */
const PREFACES = {
  v1: Buffer.from("PROXY UNKNOWN\r\n", "latin1"),
  v2: Buffer.from("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", "latin1"),
} as const satisfies Record<NonNullable<ProbeOptions["proxyProtocol"]>, Buffer>;

/** One check; it begins as it is made. */
export class ConnectionProbe extends Timed implements UpstreamSocketOwner {
  readonly #timeout: number;
  readonly #dependencies: UpstreamDependencies;
  readonly #inlet = new Inlet();
  readonly #close: () => void;
  #done: ((result: ProbeResult) => void) | undefined;

  /** `done` is called once, later than this returns. */
  constructor(options: ProbeOptions, dependencies: UpstreamDependencies, done: (result: ProbeResult) => void) {
    super();
    const { cluster, tls, proxyProtocol, timeout } = options;
    const { clocks, log, sockets: ways } = dependencies;
    this.#timeout = timeout;
    this.#dependencies = dependencies;
    this.#done = done;
    const preface = proxyProtocol === undefined ? undefined : PREFACES[proxyProtocol];
    const target = { cluster, endpoint: toTarget(options), tls, applicationProtocols: [], preface, ways, log };
    const { socket } = connectUpstream(target, this.#inlet, this);
    this.#close = () => {
      this.#inlet.close();
      socket.on("error", () => undefined);
      socket.destroy();
    };
    clocks.fine.arm(this, timeout);
  }

  /** Gives it up; nobody is told. */
  cancel(): void {
    this.#finish();
  }

  override onLate(): void {
    this.#end("timed-out", `no connection in ${this.#timeout} ms`);
  }

  onUp(): void {
    this.#end("passed", "");
  }

  onUpFailed(reason: "connect-failure" | "upstream-tls-failure", detail: string): void {
    this.#end("failed", detail === "" ? reason : `${reason}: ${detail}`);
  }

  #end(outcome: ProbeResult["outcome"], detail: string): void {
    const done = this.#done;
    this.#finish();
    done?.({ outcome, detail });
  }

  #finish(): void {
    this.#done = undefined;
    this.#dependencies.clocks.fine.disarm(this);
    this.#close();
  }
}
