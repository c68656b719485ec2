// `npm run conformance`: the official conformance suite of the Gateway API against Sallyport in a real cluster, all profiles of
// gateways; fails on anything less than every test passed. `-- --help` lists the options.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Cluster } from "../cluster/cluster.ts";
import { runCommand } from "../command.ts";
import { keepLogs, openBareTestbed, openTestbed, type TestbedOptions } from "../testbed.ts";
import { findShortcomings, type Profile, PROFILES } from "./judgement.ts";
import { removeLeftovers } from "./leftovers.ts";
import { startTraefik, TRAEFIK } from "./peer.ts";
import { buildSuite } from "./programs.ts";
import { type Implementation, runSuite, type SuiteEnd } from "./suite-run.ts";
import { formatTable } from "./table.ts";

const USAGE = `usage: npm run conformance -- [OPTION]...
  --quick             core tests only
  --run-test NAME     a single test, by its ShortName
  --profile PROFILE   judged and reported: ${PROFILES.join(", ")}; repeatable, default all
  --replicas          two controllers, and three proxies of each Gateway
  --name NAME         the cluster; one that is up is used, and stays (default conformance)
  --keep              leaves the cluster up
  --peer traefik      another implementation, to compare: nothing is demanded of it`;

/** An address that the cluster's load balancers give where it is asked for, and one that they do not have. */
const ADDRESSES = { usable: "10.98.0.250", unusable: "192.0.2.1" };
const SALLYPORT: Implementation = {
  organization: "sallyport",
  project: "sallyport",
  url: "https://github.com/sallyport/sallyport",
  version: "v0.1.0",
  contact: "@sallyport/maintainers",
  gatewayClass: "sallyport",
};
/** Git ignores it. */
const REPORTS = join(import.meta.dirname, "../report");

const say = (line: string): void => console.log(line);

interface Choice {
  readonly profiles: readonly Profile[];
  readonly depth: "all" | "core";
  readonly only: string | undefined;
  readonly peer: boolean;
  readonly testbed: TestbedOptions;
}

async function main(): Promise<void> {
  const choice = readChoice();
  const binary = await buildSuite(say);
  const implementation = choice.peer ? TRAEFIK : SALLYPORT;
  const folder = join(REPORTS, implementation.project);
  mkdirSync(folder, { recursive: true });
  await using testbed = await (choice.peer ? openBareTestbed : openTestbed)(choice.testbed);
  await removeLeftovers(testbed.cluster, say);
  using _peer = choice.peer ? await startTraefik(testbed.cluster, folder) : undefined;
  const end = await runSuite({
    ...{ binary, implementation, folder, addresses: ADDRESSES },
    only: choice.only,
    claims: await claims(testbed.cluster, implementation),
    prefix: testbed.cluster.commandFor("outside", []),
    kubeconfig: testbed.cluster.kubeconfig,
    demand: choice,
    onTest: (name) => say(`run  ${name}`),
  });
  await tellFailures(end, testbed.cluster, folder);
  say(`\n${formatTable(`${implementation.project} ${implementation.version}`, end.reports, end.seconds)}`);
  judge(choice, end, folder);
}

/** Features in the status of the GatewayClass. */
async function claims(cluster: Cluster, { gatewayClass }: Implementation): Promise<readonly string[]> {
  const path = "jsonpath={.status.supportedFeatures[*].name}";
  return (await cluster.kubectl(["get", "gatewayclass", gatewayClass, "-o", path])).split(" ");
}

function readChoice(): Choice {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      "run-test": { type: "string" },
      profile: { type: "string", multiple: true, default: [...PROFILES] },
      replicas: { type: "boolean", default: false },
      name: { type: "string", default: "conformance" },
      keep: { type: "boolean", default: false },
      peer: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const profiles = PROFILES.filter((profile) => values.profile.includes(profile));
  const isPeerKnown = values.peer === undefined || values.peer === "traefik";
  if (values.help || profiles.length < values.profile.length || !isPeerKnown) throw new Error(USAGE);
  return {
    profiles,
    depth: values.quick ? "core" : "all",
    only: values["run-test"],
    peer: values.peer !== undefined,
    testbed: {
      name: values.name,
      afterwards: values.keep ? "keep" : "down",
      replicas: values.replicas ? { controllers: 2, proxies: 3 } : { controllers: 1, proxies: 1 },
      say,
    },
  };
}

/** What failing tests said, and what controller and proxies logged. */
async function tellFailures({ output, exitCode }: SuiteEnd, cluster: Cluster, folder: string): Promise<void> {
  const failed = output.results.filter(({ outcome }) => outcome === "FAIL");
  for (const { name } of failed) {
    writeFileSync(join(folder, `${name}.log`), output.outputOf(name));
    say(`\n---- ${name}\n${output.outputOf(name).split("\n").slice(-40).join("\n")}`);
  }
  if (failed.length === 0 && exitCode !== 0) say(output.outputOf(""));
  if (exitCode === 0) return;
  await keepLogs(cluster, folder);
  say(`\nwhat failing tests, controller and proxies said: ${folder}`);
}

function judge(choice: Choice, { output, reports, exitCode, seconds }: SuiteEnd, folder: string): void {
  const count = (wanted: string): number => output.results.filter(({ outcome }) => outcome === wanted).length;
  const passed = count("PASS");
  say(
    `\n${passed} passed, ${count("FAIL")} failed, ${count("SKIP")} skipped in ${seconds.toFixed(0)} s; report: ${join(folder, "report.yaml")}`,
  );
  if (choice.peer) return;
  const shortcomings =
    choice.only === undefined
      ? findShortcomings(choice, output.results, reports)
      : passed === 0
        ? ["it did not pass"]
        : [];
  for (const shortcoming of shortcomings) console.error(`short: ${shortcoming}`);
  if (shortcomings.length > 0 || exitCode !== 0) process.exitCode = 1;
}

await runCommand(main);
