// `npm run cluster`: brings a Kubernetes of local processes up and down, and runs commands in it.
import { parseArgs } from "node:util";
import { runCommand } from "../command.ts";
import { findCluster, startCluster, stopCluster } from "./cluster.ts";
import { enter, kubectlCommand, type Place, runHere } from "./commands.ts";
import { DEFAULT_NAME, findRecord, pathsOf } from "./state.ts";

const USAGE = `usage: npm run cluster -- [--name NAME] [COMMAND]
  up [--nodes N]     starts it, builds what is missing, and leaves it in the background (this is the default)
  down               ends it and removes every trace
  kubectl ARG...     kubectl with all rights
  inside CMD...      a command in the network of the first node, with KUBECONFIG set
  outside CMD...     a command in the network of a client outside`;

/** Words after these belong to the command that is run, whatever they look like. */
const PASSING = ["kubectl", "inside", "outside"] as const;

await runCommand(main);

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const at = args.findIndex((word) => PASSING.some((verb) => verb === word));
  const own = at < 0 ? args : args.slice(0, at);
  const { values, positionals } = readOptions(own);
  const name = values.name ?? DEFAULT_NAME;
  const verb = PASSING.find((one) => at >= 0 && one === args[at]);
  if (verb !== undefined && positionals.length === 0) {
    process.exitCode = await pass(verb, name, args.slice(at + 1));
    return;
  }
  const [command = "up", ...others] = positionals;
  if (others.length > 0 || verb !== undefined) throw new Error(USAGE);
  if (command === "up") await up(name, Number(values.nodes ?? 1));
  else if (command === "down") await down(name);
  else throw new Error(`there is no command "${command}"\n${USAGE}`);
}

function readOptions(args: readonly string[]): {
  values: { name?: string | undefined; nodes?: string | undefined };
  positionals: string[];
} {
  try {
    return parseArgs({
      args: [...args],
      options: { name: { type: "string" }, nodes: { type: "string" } },
      allowPositionals: true,
    });
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`, { cause: error });
  }
}

async function up(name: string, nodes: number): Promise<void> {
  const say = (line: string): void => console.log(line);
  const began = performance.now();
  if (findRecord(pathsOf(name)) === undefined) {
    await startCluster({ name, nodes, lifetime: "background", say });
    say(`the cluster ${name} is up (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  } else {
    say(`the cluster ${name} is up already`);
  }
  const command = `npm run cluster --${name === DEFAULT_NAME ? "" : ` --name ${name}`}`;
  say(`
  KUBECONFIG=${findCluster(name).kubeconfig}   (its server answers inside only)
  ${command} kubectl get pods -A
  ${command} inside CMD...    in the first node's network, with KUBECONFIG set
  ${command} outside CMD...   as a client outside: reaches load balancers and nodes
  ${command} down`);
}

async function down(name: string): Promise<void> {
  const wasUp = findRecord(pathsOf(name)) !== undefined;
  await stopCluster(name);
  console.log(wasUp ? `the cluster ${name} is down` : `no cluster ${name} was up; nothing is left of it`);
}

async function pass(verb: Place | "kubectl", name: string, argv: readonly string[]): Promise<number> {
  if (verb !== "kubectl" && argv.length === 0) throw new Error(USAGE);
  const paths = pathsOf(name);
  const record = findRecord(paths);
  if (record === undefined) throw new Error(`there is no running cluster ${name}; start it by npm run cluster`);
  if (verb === "kubectl") return runHere(kubectlCommand(record, paths, argv), {});
  return runHere(enter(record, verb, argv), verb === "inside" ? { KUBECONFIG: paths.kubeconfig } : {});
}
