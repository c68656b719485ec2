/**
 * The memory guard: as resident memory nears its limit it first ends keep-alive, so that connections and their buffers go,
 * and then sheds requests. No I/O: readings come in, the pressure goes out. A level is left only once memory has fallen
 * clearly below where it began, so that it does not flutter.
 */
import type { MemoryOptions } from "./contract.ts";
import type { Pressure } from "./control.ts";

/** Share of the limit by which memory must fall below a threshold before its level ends. */
const HYSTERESIS = 0.05;

/** Turns readings of resident memory into pressure. */
export class MemoryGuard {
  readonly #options: Required<MemoryOptions>;
  #pressure: Pressure = "none";

  constructor(options: Required<MemoryOptions>) {
    this.#options = options;
  }

  /** One reading, in bytes. */
  look(resident: number): Pressure {
    const { limit, stopKeepAlive, shed } = this.#options;
    if (limit === 0) return "none";
    const used = resident / limit;
    const slack = (level: Pressure): number => (this.#pressure === level ? HYSTERESIS : 0);
    if (used >= shed - slack("shed")) this.#pressure = "shed";
    else if (used >= stopKeepAlive - (this.#pressure === "none" ? 0 : HYSTERESIS)) this.#pressure = "stop-keep-alive";
    else this.#pressure = "none";
    return this.#pressure;
  }
}
