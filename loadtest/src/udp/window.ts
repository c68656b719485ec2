// One client socket of the datagram load: keeps a window of datagrams on their way, and counts what never comes back.

/** Keeps so many datagrams on their way: each that returns makes room for the next. */
export class DatagramWindow {
  readonly #size: number;
  readonly #send: (sequence: number) => void;
  readonly #outstanding = new Set<number>();
  #next = 0;
  #nextAtLook = 0;
  #echoed = 0;
  #lost = 0;

  /** `send` sends one datagram with this number. */
  constructor(size: number, send: (sequence: number) => void) {
    this.#size = size;
    this.#send = send;
  }

  /** Datagrams that came back. */
  get echoed(): number {
    return this.#echoed;
  }

  /** Datagrams given up. */
  get lost(): number {
    return this.#lost;
  }

  /** Fills the window. */
  fill(): void {
    while (this.#outstanding.size < this.#size) {
      const sequence = this.#next++;
      this.#outstanding.add(sequence);
      this.#send(sequence);
    }
  }

  /** A datagram came back; one that was given up, or came before, counts for nothing. */
  receive(sequence: number): void {
    if (!this.#outstanding.delete(sequence)) return;
    this.#echoed++;
    this.fill();
  }

  /** Called at intervals far above a round trip: what was on its way at the last look already is lost. */
  look(): void {
    for (const sequence of this.#outstanding) {
      if (sequence >= this.#nextAtLook) continue;
      this.#outstanding.delete(sequence);
      this.#lost++;
    }
    this.#nextAtLook = this.#next;
    this.fill();
  }
}
