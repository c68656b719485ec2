/**
 * Whether an endpoint that says nothing is still there: it is asked (PING) after a long silence while somebody waits for it, and when a
 * request is put on a connection that was silent for a while. Any byte is a sign of life.
 */
import { performance } from "node:perf_hooks";
import type { Http2ClientOptions } from "@sallyport/model/cluster";
import { Timed, type Wheel } from "../time/wheel.ts";

/** The connection that is looked after. */
export interface Patient {
  /** Tries that wait for it. */
  readonly tries: number;
  /** Sends a PING. */
  ping(): void;
  /** Gives it up: it did not answer. */
  lose(reason: "upstream-closed"): void;
}

/** After so many milliseconds of silence a request asks for a sign of life. */
const TRUSTED_SILENCE = 10_000;

/** Looks after one connection. */
export class SignsOfLife extends Timed {
  readonly #wheel: Wheel;
  readonly #options: Pick<Http2ClientOptions, "pingInterval" | "pingTimeout">;
  readonly #patient: Patient;
  /** When something was read last, and when a PING that was not answered went out; performance.now(). */
  #heardAt = performance.now();
  #askedAt = -1;

  constructor(wheel: Wheel, options: Pick<Http2ClientOptions, "pingInterval" | "pingTimeout">, patient: Patient) {
    super();
    this.#wheel = wheel;
    this.#options = options;
    this.#patient = patient;
  }

  /** Something was read. */
  heard(): void {
    this.#heardAt = performance.now();
  }

  /** The PING was answered. */
  answered(): void {
    this.#askedAt = -1;
  }

  /** Somebody waits for it from now on. */
  watch(): void {
    const { pingInterval } = this.#options;
    if (pingInterval > 0 && this.deadline < 0) this.#wheel.arm(this, pingInterval);
  }

  /** A request was put on it. */
  trust(): void {
    const now = performance.now();
    if (this.#askedAt < 0 && now - this.#heardAt >= TRUSTED_SILENCE) this.#ask(now);
  }

  stop(): void {
    this.#wheel.disarm(this);
  }

  override onLate(): void {
    const { pingInterval } = this.#options;
    const now = performance.now();
    if (this.#askedAt >= 0 && this.#heardAt < this.#askedAt) {
      this.#patient.lose("upstream-closed");
      return;
    }
    this.#askedAt = -1;
    if (this.#patient.tries === 0 || pingInterval === 0) return;
    const silence = now - this.#heardAt;
    if (silence >= pingInterval) this.#ask(now);
    else this.#wheel.arm(this, pingInterval - silence);
  }

  #ask(now: number): void {
    this.#askedAt = now;
    this.#patient.ping();
    this.#wheel.arm(this, this.#options.pingTimeout);
  }
}
