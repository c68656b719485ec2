// Reads what a Go test binary prints with -test.v: how each of the suite's tests ended, and what it said meanwhile.

/** How one test ended. */
export interface TestResult {
  /** Its ShortName. */
  readonly name: string;
  readonly outcome: "PASS" | "FAIL" | "SKIP";
  readonly seconds: number;
}

const MOVED = /^=== (?:RUN|NAME|CONT|PAUSE)\s+(\S+)/;
const ENDED = /^\s*--- (PASS|FAIL|SKIP): TestConformance\/([^/\s]+) \(([\d.]+)s\)/;
/** Lines kept of one test. */
const MOST_LINES = 2000;

/** Takes the output line by line. Go tells results only when the whole run has ended, so begun tests are told as they begin. */
export class SuiteOutput {
  readonly #results = new Map<string, TestResult>();
  readonly #lines = new Map<string, string[]>();
  #current = "";

  /** The name of a test that begins with this line. */
  addLine(line: string): string | undefined {
    const moved = MOVED.exec(line);
    if (moved !== null) this.#current = (moved[1] ?? "").split("/")[1] ?? "";
    const [, outcome, name, seconds] = ENDED.exec(line) ?? [];
    if (name === undefined) {
      const begins = !this.#lines.has(this.#current);
      this.#keep(line);
      return begins && this.#current !== "" ? this.#current : undefined;
    }
    if (this.#results.has(name)) return undefined;
    const known = outcome === "PASS" || outcome === "SKIP" ? outcome : "FAIL";
    this.#results.set(name, { name, outcome: known, seconds: Number(seconds) });
    return undefined;
  }

  /** In the order in which they ended. */
  get results(): readonly TestResult[] {
    return [...this.#results.values()];
  }

  /** What was printed while the test ran; of parallel tests what they themselves printed. "" is what belongs to none. */
  outputOf(name: string): string {
    return (this.#lines.get(name) ?? []).join("\n");
  }

  #keep(line: string): void {
    const kept = this.#lines.get(this.#current) ?? [];
    this.#lines.set(this.#current, kept);
    kept.push(line);
    if (kept.length > MOST_LINES) kept.splice(0, kept.length - MOST_LINES);
  }
}
