/** Reads the samples of metric families from the cells. */
import { OTHER_BLOCK, type NamedBlock } from "./blocks.ts";
import { BUCKETS, CLASSES, FLAGS, HANDSHAKES, LISTENER, NAMED, PROTOCOLS, type BlockKind } from "./cells.ts";
import type { MetricSource } from "./metric-source.ts";

/** One value. `suffix` is for the series of a histogram. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly suffix?: "_bucket" | "_sum" | "_count";
}

/** Label value of the block that names beyond the cap share. */
const OTHER = "other";
/** In a second. */
export const MILLISECONDS = 1000;

/** Requests by listener, status class and flag; combinations that never occurred have no series. */
export function readRequests({ cells, series }: MetricSource): Sample[] {
  const samples: Sample[] = [];
  for (const [listener, block] of withOther(series.blocks().listeners)) {
    const start = cells.blockStart("listeners", block) + LISTENER.requests;
    for (const [classIndex, codeClass] of CLASSES.entries()) {
      for (const [flagIndex, flag] of FLAGS.entries()) {
        const value = cells.sum(start + classIndex * FLAGS.length + flagIndex);
        if (value > 0) samples.push({ labels: { listener, code_class: codeClass, flag }, value });
      }
    }
  }
  return samples;
}

/** Durations by listener, cumulative as Prometheus wants them. */
export function readHistogram({ cells, series }: MetricSource): Sample[] {
  const samples: Sample[] = [];
  for (const [listener, block] of ownBlocks(series.blocks().listeners, series.overflowed("listeners"))) {
    const start = cells.blockStart("listeners", block);
    let count = 0;
    for (const [bucket, bound] of BUCKETS.entries()) {
      count += cells.sum(start + LISTENER.buckets + bucket);
      samples.push({ suffix: "_bucket", labels: { listener, le: bound / MILLISECONDS }, value: count });
    }
    count += cells.sum(start + LISTENER.buckets + BUCKETS.length);
    samples.push({ suffix: "_bucket", labels: { listener, le: "+Inf" }, value: count });
    samples.push({
      suffix: "_sum",
      labels: { listener },
      value: cells.sum(start + LISTENER.durationSum) / MILLISECONDS,
    });
    samples.push({ suffix: "_count", labels: { listener }, value: count });
  }
  return samples;
}

/** One cell of every listener's block. */
export function readListeners({ cells, series }: MetricSource, offset: number): Sample[] {
  return ownBlocks(series.blocks().listeners, series.overflowed("listeners")).map(([listener, block]) => {
    return { labels: { listener }, value: cells.gauge(cells.blockStart("listeners", block) + offset) };
  });
}

/** Handshakes by listener and outcome; combinations that never occurred have no series. */
export function readHandshakes({ cells, series }: MetricSource): Sample[] {
  const samples: Sample[] = [];
  for (const [listener, block] of withOther(series.blocks().listeners)) {
    const start = cells.blockStart("listeners", block) + LISTENER.handshakes;
    for (const [index, outcome] of HANDSHAKES.entries()) {
      const value = cells.sum(start + index);
      if (value > 0) samples.push({ labels: { listener, outcome }, value });
    }
  }
  return samples;
}

/** What was passed on, by listener, protocol and flag; combinations that never occurred have no series. */
export function readStreams({ cells, series }: MetricSource): Sample[] {
  const samples: Sample[] = [];
  for (const [listener, block] of withOther(series.blocks().listeners)) {
    const start = cells.blockStart("listeners", block) + LISTENER.streams;
    for (const [protocolIndex, protocol] of PROTOCOLS.entries()) {
      for (const [flagIndex, flag] of FLAGS.entries()) {
        const value = cells.sum(start + protocolIndex * FLAGS.length + flagIndex);
        if (value > 0) samples.push({ labels: { listener, protocol: protocol.toLowerCase(), flag }, value });
      }
    }
  }
  return samples;
}

/** One cell of the blocks of listeners where it is not 0: most listeners pass nothing on. */
export function readPassing({ cells, series }: MetricSource, offset: number, unit = 1): Sample[] {
  const samples: Sample[] = [];
  for (const [listener, block] of withOther(series.blocks().listeners)) {
    const value = cells.sum(cells.blockStart("listeners", block) + offset) / unit;
    if (value > 0) samples.push({ labels: { listener }, value });
  }
  return samples;
}

/** Requests by status class, or the seconds they took, of routes or clusters. */
export function readNamed(
  { cells, series }: MetricSource,
  kind: Extract<BlockKind, "routes" | "clusters">,
  what: "requests" | "seconds",
): Sample[] {
  const label = kind === "routes" ? "route" : "cluster";
  const samples: Sample[] = [];
  if (cells.shape[kind] === 0) return samples;
  for (const [name, block] of withOther(series.blocks()[kind])) {
    const start = cells.blockStart(kind, block);
    if (what === "seconds") {
      const value = cells.sum(start + NAMED.durationSum) / MILLISECONDS;
      if (value > 0) samples.push({ labels: { [label]: name }, value });
      continue;
    }
    for (const [index, codeClass] of CLASSES.entries()) {
      const value = cells.sum(start + NAMED.requests + index);
      if (value > 0) samples.push({ labels: { [label]: name, code_class: codeClass }, value });
    }
  }
  return samples;
}

/** One cell of every worker's stripe. */
export function readWorkers({ cells }: MetricSource, cell: number): Sample[] {
  return Array.from({ length: cells.shape.stripes }, (_, worker) => {
    return { labels: { worker }, value: cells.of(worker, cell) };
  });
}

function withOther(blocks: readonly NamedBlock[]): readonly NamedBlock[] {
  return [...blocks, [OTHER, OTHER_BLOCK]];
}

/** The block of the others only where there are others, so that it shows no zeros. */
function ownBlocks(blocks: readonly NamedBlock[], overflowed: number): readonly NamedBlock[] {
  return overflowed > 0 ? withOther(blocks) : blocks;
}
