/**
 * Views of shared memory through which a worker is killed in the middle of what it does: each operation on a word burns its fuse, and
 * the one after the last does not happen.
 */
import type { HealthOptions } from "../../src/cluster/health/contract.ts";
import type { ActiveTable } from "../../src/observe/active-counts.ts";
import type { ClusterCountTable } from "../../src/observe/cluster-counts.ts";
import type { ActiveCounts, ClusterCount, ClusterCounts, Counted } from "../../src/observe/contract.ts";
import { EndpointWords } from "../../src/observe/health-words.ts";

/** Why a worker is no more, in the middle of what it did. */
export class Killed extends Error {}

/** How long a worker lives. */
export class Fuse {
  /** Operations on words until it is killed. */
  left = Number.POSITIVE_INFINITY;

  burn(): void {
    if (--this.left < 0) throw new Killed();
  }

  /** Does something that is the test's, and does not burn it. */
  spare<Result>(run: () => Result): Result {
    const { left } = this;
    this.left = Number.POSITIVE_INFINITY;
    try {
      return run();
    } finally {
      this.left = left;
    }
  }
}

class MortalWords extends EndpointWords {
  readonly #fuse: Fuse;

  constructor(inner: EndpointWords, table: ActiveTable, slot: number, fuse: Fuse) {
    super(...partsOf(inner, table, slot));
    this.#fuse = fuse;
  }

  override get(word: number): number {
    this.#fuse.burn();
    return super.get(word);
  }

  override set(word: number, value: number): void {
    this.#fuse.burn();
    super.set(word, value);
  }

  override increment(word: number): number {
    this.#fuse.burn();
    return super.increment(word);
  }

  override swap(word: number, from: number, to: number): boolean {
    this.#fuse.burn();
    return super.swap(word, from, to);
  }

  override setTime(time: number, milliseconds: number): void {
    this.#fuse.burn();
    super.setTime(time, milliseconds);
  }
}

function partsOf(inner: EndpointWords, table: ActiveTable, slot: number): ConstructorParameters<typeof EndpointWords> {
  const { words, at } = inner;
  const slots = words.length / 8;
  const times = new BigInt64Array(table.buffer, words.byteOffset - slots * 16, slots * 2);
  return [words, at, times, slot * 2];
}

/** Health as a worker with this fuse sees it. Who is killed under the lock takes it with it: the supervisor must free it. */
export function toMortalHealth(table: ActiveTable, worker: number, fuse: Fuse): HealthOptions["shared"] {
  const { health } = table;
  return {
    words: (slot) => new MortalWords(health.words(slot), table, slot, fuse),
    get changes() {
      return health.changes;
    },
    noteChange: () => {
      fuse.burn();
      health.noteChange();
    },
    count: (total) => health.count(total),
    exclusively: (run) => {
      try {
        health.exclusively(run);
      } catch (error) {
        new Int32Array(table.buffer)[0] = worker + 1;
        throw error;
      }
    },
  };
}

/** Active counts as a worker with this fuse sees them. */
export function toMortalCounts(table: ActiveTable, fuse: Fuse): ActiveCounts {
  return {
    claim: (key, label) => {
      fuse.burn();
      return table.claim(key, label);
    },
    release: (slot) => {
      fuse.burn();
      table.release(slot);
    },
    add: (slot, change) => {
      fuse.burn();
      table.add(slot, change);
    },
    total: (slot) => table.total(slot),
  };
}

/** Counts of limits as a worker with this fuse sees them. */
export function toMortalLimits(table: ClusterCountTable, fuse: Fuse): ClusterCounts {
  return {
    claim: (key) => {
      fuse.burn();
      return new MortalCount(table.claim(key), fuse);
    },
  };
}

class MortalCount implements ClusterCount {
  readonly #inner: ClusterCount;
  readonly #fuse: Fuse;

  constructor(inner: ClusterCount, fuse: Fuse) {
    this.#inner = inner;
    this.#fuse = fuse;
  }

  add(kind: Counted, change: number): void {
    this.#fuse.burn();
    this.#inner.add(kind, change);
  }

  mine(kind: Counted): number {
    return this.#inner.mine(kind);
  }

  total(kind: Counted): number {
    return this.#inner.total(kind);
  }

  raise(kind: Counted): boolean {
    this.#fuse.burn();
    return this.#inner.raise(kind);
  }

  lower(kind: Counted): void {
    this.#fuse.burn();
    this.#inner.lower(kind);
  }

  isRaised(kind: Counted): boolean {
    return this.#inner.isRaised(kind);
  }

  release(): void {
    this.#fuse.burn();
    this.#inner.release();
  }
}
