// `npm run loadtest:changes`: how soon an edit of the served directory is live. Flips a route between two backends, and
// asks over one kept connection without pause from before the write until the new backend answers. Every answer must be
// the old or, from then on, the new one. Exits 1 on any other answer, or where the 99th percentile is beyond the limit.
import { Agent, get } from "node:http";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Bench } from "./bench.ts";
import { allowedProcessors, layoutFor } from "./layout.ts";
import { defaultForm, sallyportCommand, sallyportProgram, type SallyportForm } from "./peers/sallyport.ts";
import { waitUntilReady } from "./probe.ts";
import { gatewayClass, gateway, httpRoute, replaceFile, service, writeObjects } from "./sallyport-objects.ts";
import { stopOnSignal } from "./signals.ts";
import { percentile } from "./spread.ts";

const limitMs = 100;
const giveUpMs = 5000;
const host = "flip.example.test";
const backends = ["a", "b"] as const;

const usage = "npm run loadtest:changes -- [--edits N] [--routes one|many] [--sallyport source|bundle]";

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      edits: { type: "string", default: "100" },
      routes: { type: "string", default: "one" },
      sallyport: { type: "string", default: defaultForm() },
    },
  });
  const { routes, sallyport } = values;
  const edits = Number(values.edits);
  const known = (routes === "one" || routes === "many") && (sallyport === "source" || sallyport === "bundle");
  if (!known || !Number.isInteger(edits) || edits < 1) {
    console.error(usage);
    return 2;
  }
  const bench = new Bench(layoutFor(allowedProcessors(), "on"));
  stopOnSignal("changes", bench);
  try {
    return await measure(bench, { edits, routes, form: sallyport });
  } catch (error) {
    console.error(`changes: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    await bench.close();
  }
}

interface Plan {
  readonly edits: number;
  readonly routes: "one" | "many";
  readonly form: SallyportForm;
}

async function measure(bench: Bench, plan: Plan): Promise<number> {
  const { port, directory } = await serve(bench, plan);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const delays: number[] = [];
  let answers = 0;
  for (let edit = 1; edit <= plan.edits; edit++) {
    const before = backends[(edit + 1) % 2] ?? "a";
    const after = backends[edit % 2] ?? "a";
    const asked = await follow({ port, agent, before, after }, () =>
      replaceFile(directory, "flip.yaml", [flip(after)]),
    );
    delays.push(asked.delayMs);
    answers += asked.answers;
  }
  agent.destroy();
  const [median, p99] = [percentile(delays, 0.5), percentile(delays, 0.99)];
  const summary = `median ${median.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, longest ${Math.max(...delays).toFixed(1)} ms`;
  console.log(`changes: ${plan.edits} edits, routes: ${plan.routes}: ${summary} (must ${limitMs} ms)`);
  console.log(`changes: ${answers} answers, every one of them right`);
  return p99 <= limitMs ? 0 : 1;
}

async function serve(bench: Bench, { routes, form }: Plan): Promise<{ port: number; directory: string }> {
  const [port, admin, metrics] = [await bench.takePort(), await bench.takePort(), await bench.takePort()];
  const folder = bench.newFolder("sallyport");
  const directory = join(folder, "objects");
  const [a, b] = [await bench.startBackend("backend a"), await bench.startBackend("backend b")];
  writeObjects(directory, { port, backendPort: a.port, routes });
  replaceFile(directory, "gateway.yaml", [gatewayClass(), gateway(port)]);
  replaceFile(directory, "backends.yaml", [service("flip-a", [a.port]), service("flip-b", [b.port])]);
  replaceFile(directory, "flip.yaml", [flip("a")]);
  const launch = sallyportCommand(sallyportProgram(form), directory, { admin, metrics, accessLog: "off" });
  const running = await bench.processes.start({
    name: "sallyport",
    launch,
    directory: folder,
    processors: bench.layout.proxy,
  });
  await waitUntilReady(running, { port, path: "/", host });
  return { port, directory };
}

function flip(backend: string): string {
  const filters = `        - type: ResponseHeaderModifier
          responseHeaderModifier:
            set:
              - name: x-version
                value: ${backend}
`;
  return httpRoute({ name: "flip", path: "/", host, service: `flip-${backend}`, filters });
}

interface Question {
  readonly port: number;
  readonly agent: Agent;
  readonly before: string;
  readonly after: string;
}

/** Asks until the new version answers; throws on any answer that is neither, or that goes back. */
async function follow(question: Question, write: () => void): Promise<{ delayMs: number; answers: number }> {
  const { before, after } = question;
  if ((await askVersion(question)) !== before) throw new Error(`the answer before an edit was not ${before}`);
  write();
  const written = performance.now();
  for (let answers = 2; ; answers++) {
    const version = await askVersion(question);
    const delayMs = performance.now() - written;
    if (version === after) return { delayMs, answers };
    if (version !== before) throw new Error(`an answer was neither ${before} nor ${after}: ${version}`);
    if (delayMs > giveUpMs) throw new Error(`an edit was not live after ${giveUpMs} ms`);
  }
}

function askVersion({ port, agent }: Question): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port, path: "/", headers: { host }, agent }, (answer) => {
      answer.resume();
      answer.on("end", () =>
        resolve(answer.statusCode === 200 ? String(answer.headers["x-version"]) : `status ${answer.statusCode}`),
      );
    });
    request.on("error", reject);
  });
}
