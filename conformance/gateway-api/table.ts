// Prints a ConformanceReport beside what others published, in columns that people can compare.
import published from "./published.json" with { type: "json" };
import { PROFILES, type Profile, type ProfileReport, type ReportPart } from "./judgement.ts";

/** Columns of one line of the table. */
type Row = readonly [name: string, ...cells: string[]];

/** The table, a line an implementation; `subject` and `seconds` are of this run. */
export function formatTable(subject: string, reports: readonly ProfileReport[], seconds: number): string {
  const rows: Row[] = [
    ["core + extended tests, features", ...PROFILES],
    [`${subject} (this run, ${formatSeconds(seconds)})`, ...PROFILES.map((profile) => ownCell(profile, reports))],
    ...published.reports.map((report): Row => [report.name, ...PROFILES.map((profile) => othersCell(report, profile))]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length))) ?? [];
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [...lines, `published: ${published.source}`].join("\n");
}

/** `6m03s`. */
function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}m${String(whole % 60).padStart(2, "0")}s`;
}

function ownCell(profile: Profile, reports: readonly ProfileReport[]): string {
  const report = reports.find(({ name }) => name === profile);
  if (report === undefined) return "-";
  const { supportedFeatures = [], unsupportedFeatures = [] } = report.extended ?? {};
  const features = `${supportedFeatures.length}/${supportedFeatures.length + unsupportedFeatures.length}f`;
  return `${countOf(report.core)} + ${countOf(report.extended)}, ${features}`;
}

/** Passed of all; what is missing or was skipped was not passed. */
function countOf(part: ReportPart | undefined): string {
  if (part === undefined) return "0/0";
  const { Passed: passed, Skipped: skipped, Failed: failed } = part.statistics;
  return `${passed}/${passed + skipped + failed}`;
}

function othersCell(report: (typeof published.reports)[number], profile: Profile): string {
  const cell = report[profile];
  return cell === undefined ? "-" : `${cell.core} + ${cell.extended}, ${cell.features}f`;
}
