// `npm run loadtest:k6`: runs the k6 scenarios against Sallyport at a fixed arrival rate; exits 1 when one of them saw an
// error. In churn, the served directory is edited from here while the traffic runs.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Bench } from "./bench.ts";
import { allowedProcessors, layoutFor } from "./layout.ts";
import { defaultForm, sallyportCommand, sallyportProgram, type SallyportForm } from "./peers/sallyport.ts";
import { ask, waitUntilReady } from "./probe.ts";
import type { Running } from "./processes.ts";
import { editRoute, shopHost, writeShop } from "./shop-objects.ts";
import { stopOnSignal } from "./signals.ts";
import { findTool, repository } from "./tools.ts";

const names = ["browse", "spike", "churn"] as const;
type Name = (typeof names)[number];

/** Between two edits of the route; a person with a fast deployment pipeline makes one in minutes. */
const editEveryMs = 200;

const usage = `npm run loadtest:k6 -- [--quick] [--scenario ${names.join("|")}]... [--sallyport source|bundle]`;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: "boolean", default: false },
      scenario: { type: "string", multiple: true, default: [...names] },
      sallyport: { type: "string", default: defaultForm() },
    },
  });
  const chosen = names.filter((name) => values.scenario.includes(name));
  const form = values.sallyport;
  if (chosen.length < values.scenario.length || (form !== "source" && form !== "bundle")) {
    console.error(usage);
    return 2;
  }
  const layout = layoutFor(allowedProcessors(), "on");
  if (layout.client !== undefined) spawnSync("taskset", ["-pc", layout.client, String(process.pid)]);
  const bench = new Bench(layout);
  stopOnSignal("k6", bench);
  try {
    return await runAll(bench, { chosen, form, seconds: values.quick ? 5 : 20 });
  } catch (error) {
    console.error(`k6: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    await bench.close();
  }
}

interface Plan {
  readonly chosen: readonly Name[];
  readonly form: SallyportForm;
  readonly seconds: number;
}

interface Shop {
  readonly directory: string;
  readonly port: number;
  readonly running: Running;
}

async function runAll(bench: Bench, { chosen, form, seconds }: Plan): Promise<number> {
  const shop = await openShop(bench, form);
  let failed = 0;
  for (const name of chosen) {
    console.log(`k6: ${name}: ${seconds} s`);
    const passed = await runScenario(bench, shop, { name, seconds });
    console.log(`k6: ${name}: ${passed ? "no error" : "FAILED"}`);
    if (!passed) failed++;
  }
  if (shop.running.hasEnded()) throw new Error(`sallyport ended:\n${shop.running.lastWords()}`);
  return failed === 0 ? 0 : 1;
}

async function openShop(bench: Bench, form: SallyportForm): Promise<Shop> {
  const backendA = await bench.startBackend("backend a");
  const backendB = await bench.startBackend("backend b");
  const [port, admin, metrics] = [await bench.takePort(), await bench.takePort(), await bench.takePort()];
  const folder = bench.newFolder("sallyport");
  const directory = join(folder, "objects");
  writeShop(directory, { port, backendA: backendA.port, backendB: backendB.port });
  const launch = sallyportCommand(sallyportProgram(form), directory, { admin, metrics, accessLog: "off" });
  const running = await bench.processes.start({
    name: "sallyport",
    launch,
    directory: folder,
    processors: bench.layout.proxy,
  });
  await waitUntilReady(running, { port, path: "/", host: shopHost });
  return { directory, port, running };
}

async function runScenario(
  bench: Bench,
  shop: Shop,
  { name, seconds }: { name: Name; seconds: number },
): Promise<boolean> {
  const k6 = findTool("k6");
  if (k6.kind === "missing") throw new Error(k6.reason);
  const report = join(repository, "loadtest/report");
  mkdirSync(report, { recursive: true });
  const api = await bench.takePort();
  const flags = ["--quiet", "--no-color", "--no-usage-report", "--address", `127.0.0.1:${api}`];
  const summary = ["--summary-export", join(report, `k6-${name}.json`)];
  const script = join(repository, "loadtest/k6", `${name}.js`);
  const running = await bench.processes.start({
    name: "k6",
    launch: {
      command: k6.path,
      args: ["run", ...flags, ...summary, script],
      env: { TARGET: `http://127.0.0.1:${shop.port}`, SECONDS: String(seconds) },
    },
    directory: bench.newFolder("k6"),
    processors: bench.layout.client,
  });
  const live = name === "churn" ? await churn(shop, running) : true;
  const code = await running.ended;
  console.log(running.output());
  return code === 0 && live;
}

// Edits until k6 has ended; the last version must be served within a second.
async function churn(shop: Shop, k6: Running): Promise<boolean> {
  let version = 0;
  while (!k6.hasEnded()) {
    editRoute(shop.directory, ++version);
    await Promise.race([sleep(editEveryMs), k6.ended]);
  }
  console.log(`k6: churn: ${version} edits`);
  const expected = version % 2 === 0 ? "backend a" : "backend b";
  const deadline = performance.now() + 1000;
  while (performance.now() < deadline) {
    const answer = await ask({ port: shop.port, path: "/flip/last", host: shopHost });
    if (answer.body.startsWith(expected)) return true;
    await sleep(20);
  }
  console.error(`k6: churn: the last edit (version ${version}) is not served after 1 s`);
  return false;
}
