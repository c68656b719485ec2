// What a judge reports about one request, and how the reports of several judges about the same bytes are compared.

/** One request as a judge's parser understood it; text is latin1, one character a byte. */
export interface Judgement {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  /** Lower-case name and value of each field that every judge can report, sorted by name, order kept within a name. */
  readonly fields: readonly (readonly [string, string])[];
  readonly trailers: readonly (readonly [string, string])[];
  readonly length: number;
  readonly sha256: string;
}

/** What one judge made of one piece of input. */
export interface Report {
  readonly judge: string;
  readonly requests: readonly Judgement[];
  /** Status codes the client read; a judge that cannot parse a request answers 400. */
  readonly statuses: readonly number[];
}

/** Fields that differ by nature: generated per request, or taken apart by the judge's library. */
const NOT_COMPARED = new Set(["x-request-id", "connection", "content-length", "transfer-encoding", "trailer", "host"]);

/** The fields in the order all judges can give them. */
export function sortedFields(pairs: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
  return pairs
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !NOT_COMPARED.has(name))
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Nothing if all judges saw the same requests, else what differs between the first judge and another. */
export function disagreements(reports: readonly Report[], excuse: (judge: string) => string | undefined): string[] {
  const heard = reports.filter((report) => excuse(report.judge) === undefined);
  const [first, ...others] = heard;
  if (first === undefined) return [];
  const expected = JSON.stringify(first.requests);
  const faults: string[] = [];
  for (const other of others) {
    if (JSON.stringify(other.requests) === expected) continue;
    faults.push(`${first.judge}: ${brief(first)}\n      ${other.judge}: ${brief(other)}`);
  }
  return faults;
}

function brief(report: Report): string {
  return `[${report.statuses.join(",")}] ${JSON.stringify(report.requests).slice(0, 700)}`;
}
