// The judge of graders: what counts against the default policy, and what is not read as a pass by mistake.
import assert from "node:assert/strict";
import { test } from "node:test";
import { findBlemishes, readSslyze, readTestssl } from "./grades.ts";

test("what testssl.sh finds above LOW counts, unless it grades the test's own certificate", () => {
  const findings = readTestssl(
    JSON.stringify([
      { id: "TLS1", ip: "x", severity: "LOW", finding: "offered" },
      { id: "SWEET32", ip: "x", severity: "MEDIUM", finding: "vulnerable" },
      { id: "cert_expirationStatus", ip: "x", severity: "HIGH", finding: "expires" },
      { id: "scanProblem", ip: "x", severity: "FATAL", finding: "cannot connect" },
    ]),
  );
  assert.deepEqual(
    findBlemishes(findings).map(({ id }) => id),
    ["SWEET32", "scanProblem"],
  );
});

test("every departure that sslyze names counts, but for the path of the test's certificate", () => {
  const text = `
 COMPLIANCE AGAINST TLS CONFIGURATION
    localhost:443: FAILED - Not compliant.
        * certificate_path_validation: Certificate path validation failed for CN=test.
        * tls_curves: TLS curves {'X448'} are supported, but should be rejected.
`;
  assert.deepEqual(
    findBlemishes(readSslyze(text)).map(({ id }) => id),
    ["tls_curves"],
  );
});

test("a grader that came to no verdict is not taken for one that found nothing", () => {
  assert.throws(() => readSslyze("SCANS COMPLETED"), /verdict/);
  assert.throws(() => readTestssl("{}"), /no list/);
  assert.throws(() => readTestssl('[{"id":"x"}]'), /not a finding/);
});
