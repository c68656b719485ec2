// Grades the default TLS policy of a running gateway by testssl.sh and sslyze: `npm run conformance:tls`. Nothing above LOW may
// be found with an ECDSA certificate, nor with an RSA one beside it. Needs testssl.sh, and Python 3 with venv for sslyze.
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { freePorts, startSallyport } from "@sallyport/testkit/process";
import { RawUpstream } from "@sallyport/testkit/raw-upstream";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { plain } from "../faults/asking.ts";
import { type Finding, findBlemishes, readSslyze, readTestssl } from "./grades.ts";
import { type CertificatePair, issuePair, tlsObjects } from "./objects.ts";

const run = promisify(execFile);
const SSLYZE = "sslyze==6.3.1";
const CACHE = new URL("../../.cache/tls", import.meta.url).pathname;
/** Milliseconds for one grader; testssl.sh makes some hundred handshakes. */
const PATIENCE = 300_000;

interface Target {
  /** `localhost:port`. */
  readonly address: string;
  readonly authority: string;
  /** Where a grader may write. */
  readonly file: string;
}

async function grade(keys: CertificatePair["keys"]): Promise<readonly Finding[]> {
  const pair = await issuePair(keys, ["localhost"]);
  const upstream = await RawUpstream.open(() => plain());
  const [port = 0] = await freePorts(1);
  const directory = openTemporaryDirectory({ "gateway.yaml": tlsObjects({ port, backend: upstream.port, pair }) });
  const scratch = openTemporaryDirectory({ "ca.pem": pair.authority });
  const sallyport = await startSallyport({ directory: directory.path });
  const target = {
    address: `localhost:${port}`,
    authority: `${scratch.path}/ca.pem`,
    file: `${scratch.path}/found.json`,
  };
  try {
    return [...(await askTestssl(target)), ...(await askSslyze(target))];
  } finally {
    await sallyport.stop();
    await upstream.close();
    directory.close();
    scratch.close();
  }
}

/** It ends with the number of its findings, so only what it wrote says whether it worked. */
async function askTestssl({ address, authority, file }: Target): Promise<readonly Finding[]> {
  const quiet = ["--quiet", "--color", "0", "--warnings", "off", "--ip", "one"];
  const command = await findTestssl();
  await run(command, [...quiet, "--add-ca", authority, "--jsonfile", file, address], { timeout: PATIENCE }).catch(
    () => undefined,
  );
  return readTestssl(readFileSync(file, "utf8"));
}

/** Debian installs it without its suffix. */
async function findTestssl(): Promise<string> {
  for (const command of ["testssl", "testssl.sh"]) {
    const works = await run(command, ["--version"]).then(
      () => true,
      () => false,
    );
    if (works) return command;
  }
  throw new Error("grading needs testssl.sh (on Debian the package testssl.sh)");
}

async function askSslyze({ address }: Target): Promise<readonly Finding[]> {
  const output = await run(await installSslyze(), ["--mozilla_config=intermediate", address], {
    timeout: PATIENCE,
    maxBuffer: 1 << 24,
  }).catch((error: unknown) => {
    // a departure from the recommendations is an exit code of its own
    if (error instanceof Error && "stdout" in error) return { stdout: String(error.stdout) };
    throw error;
  });
  return readSslyze(output.stdout);
}

async function installSslyze(): Promise<string> {
  const venv = `${CACHE}/${SSLYZE}`;
  const command = `${venv}/bin/sslyze`;
  if (existsSync(command)) return command;
  await run("python3", ["-m", "venv", "--clear", venv]);
  await run(`${venv}/bin/pip`, ["install", "--quiet", SSLYZE]);
  return command;
}

let passed = 0;
let failed = 0;
for (const keys of [["ecdsa"], ["rsa", "ecdsa"]] as const) {
  const findings = await grade(keys);
  const blemishes = findBlemishes(findings);
  for (const { grader, id, severity, text } of blemishes) console.log(`${grader}: ${severity} ${id}: ${text}`);
  for (const grader of ["testssl.sh", "sslyze"]) {
    const bad = blemishes.filter((finding) => finding.grader === grader).length;
    console.log(`${grader}, ${keys.join(" and ")}: ${bad === 0 ? "nothing above LOW" : `${bad} findings above LOW`}`);
    if (bad === 0) passed++;
    else failed++;
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
