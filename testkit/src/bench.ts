// Micro-benchmarks, one file `x.bench.ts` beside the hot code. `npm run bench -- NAME` runs them in fresh processes, round by
// round; the file alone, run with node, prints one round.

/** Runs the code under test so many times and returns something that depends on its results, so that it cannot be dropped. */
export type BenchBody = (iterations: number) => unknown;

/** What one benchmark showed in one process. Nanoseconds per iteration. */
export interface BenchResult {
  readonly name: string;
  readonly minimum: number;
  readonly median: number;
}

/** A sample shorter than this measures the clock. Milliseconds. */
const SAMPLE_TIME = 25;
/** Enough for the optimising compiler to settle. Milliseconds. */
const WARM_UP_TIME = 200;
const SAMPLES = 7;

/** Written so that the compiler cannot prove a body useless. */
const sink: { value: unknown } = { value: undefined };

/** Measures now, and prints: one JSON line for the runner (SALLYPORT_BENCH=json), else a line for a person. */
export function bench(name: string, body: BenchBody): void {
  const result = measure(name, body);
  const line =
    process.env["SALLYPORT_BENCH"] === "json"
      ? JSON.stringify(result)
      : `${name}: ${result.minimum.toFixed(1)} ns (median ${result.median.toFixed(1)})`;
  process.stdout.write(`${line}\n`);
}

function measure(name: string, body: BenchBody): BenchResult {
  const iterations = calibrate(body);
  const samples: number[] = [];
  for (let index = 0; index < SAMPLES; index++) samples.push((time(body, iterations) * 1e6) / iterations);
  samples.sort((a, b) => a - b);
  return { name, minimum: samples[0] ?? 0, median: samples[SAMPLES >> 1] ?? 0 };
}

/** How many iterations fill a sample, found while warming up. */
function calibrate(body: BenchBody): number {
  let iterations = 1;
  const begun = performance.now();
  for (;;) {
    const took = time(body, iterations);
    if (took < SAMPLE_TIME) iterations *= took < SAMPLE_TIME / 8 ? 8 : 2;
    else if (performance.now() - begun > WARM_UP_TIME) return iterations;
  }
}

function time(body: BenchBody, iterations: number): number {
  const begun = performance.now();
  sink.value = body(iterations);
  return performance.now() - begun;
}
