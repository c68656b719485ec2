/**
 * A strict reader of Prometheus' text format (version 0.0.4) for tests: what a lenient scraper would swallow is an error
 * here. Families must be described once, before their samples, and stand together; series must be distinct.
 */
import assert from "node:assert/strict";

/** One family as it was exported. */
export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  /** Value by series: `name{label="value",...}` as written. */
  readonly series: Map<string, number>;
}

const HELP = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/;
const TYPE = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$/;
const SAMPLE =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[0-9.]+(?:e[+-]?[0-9]+)?|NaN|[+-]Inf)$/;

/** What was exported. */
export class ParsedMetrics {
  readonly families: ReadonlyMap<string, ParsedFamily>;

  constructor(families: ReadonlyMap<string, ParsedFamily>) {
    this.families = families;
  }

  /** Value of a series, written `name` or `name{label="value"}`; undefined where it was not exported. */
  value(series: string): number | undefined {
    for (const family of this.families.values()) {
      const found = family.series.get(series);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Sum of all series of a family whose text has this in it. */
  sum(family: string, part = ""): number {
    let sum = 0;
    for (const [series, value] of this.families.get(family)?.series ?? []) if (series.includes(part)) sum += value;
    return sum;
  }

  /** Every series of a family. */
  series(family: string): readonly string[] {
    return [...(this.families.get(family)?.series.keys() ?? [])];
  }
}

/** Reads an exposition; throws at the first thing that is not as it should be. */
export function parsePrometheusText(text: string): ParsedMetrics {
  assert.ok(text.endsWith("\n"), "the last line is ended");
  const families = new Map<string, ParsedFamily>();
  let help = "";
  let family: ParsedFamily | undefined;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    if (line.startsWith("# HELP")) help = line;
    else if (line.startsWith("#")) families.set((family = openFamily(help, line, families)).name, family);
    else addSample(family ?? assert.fail(`sample before any family: ${line}`), line);
  }
  for (const each of families.values()) if (each.type === "histogram") checkHistogram(each);
  return new ParsedMetrics(families);
}

function openFamily(helpLine: string, typeLine: string, families: ReadonlyMap<string, unknown>): ParsedFamily {
  const [, described, help = ""] = HELP.exec(helpLine) ?? assert.fail(helpLine);
  const [, name = "", type = ""] = TYPE.exec(typeLine) ?? assert.fail(typeLine);
  assert.equal(described, name, "HELP and TYPE stand together");
  assert.equal(families.has(name), false, `${name} is described twice`);
  return { name, type, help, series: new Map() };
}

function addSample(family: ParsedFamily, line: string): void {
  const [, name = "", labels = "", value = ""] = SAMPLE.exec(line) ?? assert.fail(`not a sample: ${line}`);
  const names =
    family.type === "histogram" ? ["_bucket", "_sum", "_count"].map((end) => family.name + end) : [family.name];
  assert.ok(names.includes(name), `${name} stands among ${family.name}`);
  assert.equal(family.series.has(name + labels), false, `${name}${labels} comes twice`);
  if (family.type !== "gauge") assert.ok(Number(value) >= 0, line);
  family.series.set(name + labels, Number(value));
}

/** Buckets ascend to +Inf, which is the count. */
function checkHistogram({ name, series }: ParsedFamily): void {
  const buckets = new Map<string, [bound: number, count: number][]>();
  for (const [key, value] of series) {
    const bound = /,?le="([^"]+)"/.exec(key);
    if (bound === null) continue;
    const rest = key.replace(bound[0], "").replace(`${name}_bucket`, "");
    const found = buckets.get(rest) ?? [];
    found.push([bound[1] === "+Inf" ? Infinity : Number(bound[1]), value]);
    buckets.set(rest, found);
  }
  for (const [rest, found] of buckets) {
    assert.deepEqual(
      found.toSorted((one, other) => one[0] - other[0]),
      found,
      `${name}${rest} ascends`,
    );
    assert.deepEqual(
      found.toSorted((one, other) => one[1] - other[1]),
      found,
      `${name}${rest} is cumulative`,
    );
    assert.equal(found.at(-1)?.[0], Infinity);
    assert.equal(series.get(`${name}_count${rest === "{}" ? "" : rest}`), found.at(-1)?.[1]);
    assert.ok(series.has(`${name}_sum${rest === "{}" ? "" : rest}`));
  }
}
