/** The shared memory of a gateway: made once by the supervisor, attached to by every worker. */
import { ActiveTable, type ActiveShape } from "../observe/active-counts.ts";
import { Cells, type CellShape } from "../observe/cells.ts";
import { ClusterCountTable } from "../observe/cluster-counts.ts";
import type { SlotShape } from "../observe/shared-slots.ts";
import type { LabelOptions } from "./contract.ts";
import { Control } from "./control.ts";
import { SharedSessionKeys } from "./session-keys.ts";

/** Everything that threads share. */
export interface SharedMemory {
  readonly control: Control;
  readonly cells: Cells;
  readonly active: ActiveTable;
  readonly limits: ClusterCountTable;
  readonly sessionKeys: SharedSessionKeys;
}

/** As it is handed to a thread: buffers and their shapes. */
export interface MemorySetup {
  readonly workers: number;
  readonly control: SharedArrayBuffer;
  readonly cells: SharedArrayBuffer;
  readonly cellShape: CellShape;
  readonly active: SharedArrayBuffer;
  readonly activeShape: ActiveShape;
  readonly limits: SharedArrayBuffer;
  readonly limitShape: SlotShape;
  readonly sessionKeys: SharedArrayBuffer;
}

/** Listeners with metrics of their own; those beyond share the series `other`. */
const MAX_LISTENERS = 4_096;
/** Endpoints whose requests are counted over all workers; those beyond are counted by each worker for itself. */
const MAX_ENDPOINTS = 65_536;

/**
 * Clusters whose limits are counted over all workers, and endpoints that have a limit of their own; those beyond are counted by each
 * worker for itself.
 */
const MAX_COUNTED = 65_536;

/** Makes it. Pages that are never written take no memory, so its size is a matter of address space. */
export function createMemory(workers: number, labels: LabelOptions): MemorySetup {
  const cellShape: CellShape = {
    stripes: workers,
    listeners: MAX_LISTENERS,
    // One more for the series of the others; none at all where the label is off.
    routes: labels.routes === 0 ? 0 : labels.routes + 1,
    clusters: labels.clusters === 0 ? 0 : labels.clusters + 1,
  };
  const activeShape: ActiveShape = { workers, slots: MAX_ENDPOINTS };
  const limitShape: SlotShape = { workers, slots: MAX_COUNTED };
  return {
    workers,
    control: new Control(workers).buffer,
    cells: new Cells(cellShape).buffer,
    cellShape,
    active: new ActiveTable(activeShape, 0).buffer,
    activeShape,
    limits: new ClusterCountTable(limitShape, 0).buffer,
    limitShape,
    sessionKeys: new SharedSessionKeys().buffer,
  };
}

/** The views of one thread. The supervisor of several workers attaches as worker 0 and only reads and clears. */
export function attachMemory(setup: MemorySetup, worker: number): SharedMemory {
  return {
    control: new Control(setup.workers, setup.control),
    cells: new Cells(setup.cellShape, setup.cells),
    active: new ActiveTable(setup.activeShape, worker, setup.active),
    limits: new ClusterCountTable(setup.limitShape, worker, setup.limits),
    sessionKeys: new SharedSessionKeys(setup.sessionKeys),
  };
}
