// What graders find is a list of findings; which of them count is decided here, apart from how the graders are run.

/** How bad a finding is, in the words of testssl.sh. */
export const SEVERITIES = ["OK", "INFO", "WARN", "LOW", "MEDIUM", "HIGH", "CRITICAL", "FATAL"] as const;

/** How bad a finding is. */
export type Severity = (typeof SEVERITIES)[number];

/** One finding of one grader. */
export interface Finding {
  readonly grader: string;
  readonly id: string;
  readonly severity: Severity;
  readonly text: string;
}

/**
 * Findings that grade what the test brings along, and not how TLS is terminated: its short-lived certificate, whose name no
 * DNS knows, and the answers of its backend. WARN is testssl's word for a probe that could not be made.
 */
const NOT_OURS: readonly RegExp[] = [
  /^cert_(expirationStatus|notAfter|extlifeSpan|revocation|ocspURL|crlDistributionPoints|validityPeriod)/,
  /^DNS_CAArecord/,
  /^(HSTS|security_headers|HPKP|banner_server)/,
  /^(overall_grade|grade_cap_reason|final_score)/,
];

/** Those that a default policy must not have: above LOW, and about the termination of TLS. */
export function findBlemishes(findings: readonly Finding[]): readonly Finding[] {
  const limit = SEVERITIES.indexOf("LOW");
  return findings.filter(
    ({ id, severity }) => SEVERITIES.indexOf(severity) > limit && !NOT_OURS.some((pattern) => pattern.test(id)),
  );
}

/** What testssl.sh wrote with --jsonfile; throws where that is something else. */
export function readTestssl(text: string): readonly Finding[] {
  const found: unknown = JSON.parse(text);
  if (!Array.isArray(found)) throw new TypeError("testssl.sh wrote no list of findings");
  return found.map((entry: unknown) => {
    if (!isTestsslEntry(entry)) throw new TypeError(`not a finding of testssl.sh: ${JSON.stringify(entry)}`);
    return { grader: "testssl.sh", id: entry.id, severity: entry.severity, text: entry.finding };
  });
}

/**
 * What sslyze prints when it compares with Mozilla's recommendations: a line for each departure. The path of the certificate
 * is not one of ours: no trust store knows the authority of the test.
 */
export function readSslyze(text: string): readonly Finding[] {
  const begin = text.indexOf("COMPLIANCE AGAINST TLS CONFIGURATION");
  if (begin === -1 || !/: (OK - Compliant|FAILED - Not compliant)/.test(text.slice(begin)))
    throw new TypeError("sslyze did not come to a verdict");
  const departures = text.slice(begin).matchAll(/^ {8}\* (\w+): (.*)$/gm);
  return Array.from(departures, ([, id = "", words = ""]): Finding => ({
    grader: "sslyze",
    id,
    severity: id === "certificate_path_validation" ? "INFO" : "HIGH",
    text: words,
  }));
}

function isTestsslEntry(
  entry: unknown,
): entry is { readonly id: string; readonly severity: Severity; readonly finding: string } {
  if (typeof entry !== "object" || entry === null) return false;
  if (!("id" in entry) || !("severity" in entry) || !("finding" in entry)) return false;
  const { id, severity, finding } = entry;
  return typeof id === "string" && typeof finding === "string" && SEVERITIES.some((known) => known === severity);
}
