/** A second deadline for what is Timed itself already. */
import { Timed } from "./wheel.ts";

/** Calls a function when it is late. */
export class Alarm extends Timed {
  readonly #ring: () => void;

  constructor(ring: () => void) {
    super();
    this.#ring = ring;
  }

  override onLate(): void {
    this.#ring();
  }
}
