/** Connections to backends that do what chance says, without sockets. */
import { below, pick } from "@sallyport/testkit/random";
import type { FaultReason } from "@sallyport/model/fault";
import type { OpenOptions, UpstreamConnection, UpstreamEndpoint } from "../../src/cluster/contract.ts";
import type {
  AnswerReceiver,
  BodyMode,
  SendOutcome,
  TryProgress,
  UpstreamStream,
} from "../../src/exchange/contract.ts";
import { toResponseHead } from "../../src/head/response-head.ts";
import type { TurnedTime } from "./turned-time.ts";

/** What became of one try. */
export interface Trial {
  readonly endpoint: UpstreamEndpoint;
  readonly beganAt: number;
  endedAt: number;
  /** Something of the request, its head at least, was on the wire. */
  sent: boolean;
  end: "open" | "answered" | "unseen" | "failed" | "cancelled";
}

/** A connection, with at most one try on it at a time. */
export class AdverseConnection implements UpstreamConnection, UpstreamStream {
  readonly endpoint: UpstreamEndpoint;
  readonly settled = true;
  readonly upgradable = true;
  readonly failureDetail = "";
  readonly takesRaw = true;
  readonly offersRaw = false;
  readonly capacity = 1;
  connected = false;
  bodyBytes = 0;
  readonly #options: OpenOptions;
  readonly #time: TurnedTime;
  readonly #random: () => number;
  readonly #onTry: (trial: Trial, receiver: AnswerReceiver) => void;
  #receiver: AnswerReceiver | undefined = undefined;
  #trial: Trial | undefined = undefined;
  #closed = false;
  #complete = false;
  #discarded = false;

  constructor(
    options: OpenOptions,
    world: { time: TurnedTime; random: () => number; onTry: (trial: Trial, receiver: AnswerReceiver) => void },
  ) {
    this.endpoint = options.endpoint;
    this.#options = options;
    this.#time = world.time;
    this.#random = world.random;
    this.#onTry = world.onTry;
    const fails = this.#random() < 0.2;
    this.#time.after(below(this.#random, 20), () => (fails ? this.#fail("connect-failure") : this.#connect()));
  }

  open(receiver: AnswerReceiver): UpstreamStream {
    this.#receiver = receiver;
    this.#complete = this.#discarded = false;
    this.#trial = {
      endpoint: this.endpoint,
      beganAt: this.#time.now,
      endedAt: Number.NaN,
      sent: this.connected,
      end: "open",
    };
    this.#onTry(this.#trial, receiver);
    this.#mayAct("before the end");
    return this;
  }

  close(): void {
    this.#shut();
  }

  sendHead(): void {
    // what it says is of no interest
  }

  sendBody(): SendOutcome {
    return "taken";
  }

  endBody(): void {
    this.#complete = true;
    this.#mayAct("at the end");
  }

  flush(): "taken" {
    return "taken";
  }

  pauseBody(): void {
    // answers are short
  }

  resumeBody(): void {
    // answers are short
  }

  cancel(): void {
    this.#end("cancelled");
    this.#shut();
  }

  discard(): void {
    this.#discarded = true;
  }

  #connect(): void {
    if (this.#closed) return;
    this.connected = true;
    if (this.#trial !== undefined) this.#trial.sent = true;
    this.#options.owner.onConnected(this);
    if (this.#complete) this.#mayAct("at the end");
  }

  /** Sooner or later, or never. */
  #mayAct(when: "before the end" | "at the end"): void {
    if (!this.connected || (when === "before the end" && this.#random() < 0.8)) return;
    const receiver = this.#receiver;
    if (this.#random() < 0.1) return;
    this.#time.after(below(this.#random, this.#random() < 0.2 ? 600 : 60), () => {
      if (receiver !== undefined && this.#receiver === receiver && this.#trial?.end === "open") this.#act(receiver);
    });
  }

  #act(receiver: AnswerReceiver): void {
    const drawn = this.#random();
    if (drawn < 0.15) this.#fail(pick(this.#random, ["upstream-reset", "upstream-closed"]));
    else if (drawn < 0.25) this.#refuse(receiver);
    else if (drawn < 0.3) this.#fail("upstream-protocol-error", "begun");
    else this.#answer(receiver, drawn < 0.6 ? 503 : 200, drawn > 0.95);
  }

  #answer(receiver: AnswerReceiver, status: number, breaks: boolean): void {
    if (this.#random() < 0.2) receiver.onInterim(toResponseHead({ status: 103, headers: [] }, 0));
    const mode: BodyMode = receiver.onAnswerHead(toResponseHead({ status, headers: [] }, 2), "length");
    if (mode !== "content") throw new Error("raw was not offered");
    if (this.#discarded || this.#receiver !== receiver) {
      this.#end("answered");
      if (this.#receiver === receiver) this.#free();
      return;
    }
    receiver.onAnswerBody(Buffer.from("ok"), 0, 2, undefined);
    if (breaks) this.#fail("upstream-reset", "begun");
    else {
      this.#end("answered");
      const complete = this.#complete;
      this.#receiver = undefined;
      receiver.onAnswerEnd("");
      if (complete) this.#options.owner.onIdle(this);
      else this.#shut();
    }
  }

  #refuse(receiver: AnswerReceiver): void {
    this.#end("unseen");
    this.#receiver = undefined;
    this.#shut();
    receiver.onAnswerFailed("upstream-refused", "unseen");
  }

  #free(): void {
    this.#receiver = undefined;
    if (this.#complete) this.#options.owner.onIdle(this);
    else this.#shut();
  }

  #fail(reason: FaultReason, progress: TryProgress = this.connected ? "silent" : "unseen"): void {
    if (this.#closed) return;
    const receiver = this.#receiver;
    this.#receiver = undefined;
    this.#end(progress === "unseen" ? "unseen" : "failed");
    this.#shut();
    receiver?.onAnswerFailed(reason, progress);
  }

  #end(end: Trial["end"]): void {
    const trial = this.#trial;
    if (trial === undefined || trial.end !== "open") return;
    trial.end = end;
    trial.endedAt = this.#time.now;
  }

  #shut(): void {
    this.#receiver = undefined;
    if (this.#closed) return;
    this.#closed = true;
    this.#options.owner.onClosed(this);
  }
}
