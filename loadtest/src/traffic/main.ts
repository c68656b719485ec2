// `npm run loadtest:traffic`: what balancing, retries, breakers and health checks promise, under load, against endpoints that
// misbehave. Exits 1 when a figure is not what it must be; --quick judges only what a busy machine cannot change.
import { parseArgs } from "node:util";
import { Bench } from "../bench.ts";
import { allowedProcessors, layoutFor } from "../layout.ts";
import { defaultForm } from "../peers/sallyport.ts";
import { stopOnSignal } from "../signals.ts";
import { churn } from "./churn.ts";
import { failover } from "./failover.ts";
import { hang } from "./hang.ts";
import { rollout } from "./rollout.ts";
import type { Figure, Row } from "./row.ts";
import { storm } from "./storm.ts";

const rows: readonly Row[] = [churn, rollout, hang, failover, storm];
const names = rows.map(({ name }) => name).join("|");
const usage = `npm run loadtest:traffic -- [--quick] [--row ${names}]... [--sallyport source|bundle]`;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: "boolean", default: false },
      row: { type: "string", multiple: true, default: rows.map(({ name }) => name) },
      sallyport: { type: "string", default: defaultForm() },
    },
  });
  const { quick, sallyport: form } = values;
  const chosen = rows.filter(({ name }) => values.row.includes(name));
  if (chosen.length < values.row.length || (form !== "source" && form !== "bundle")) {
    console.error(usage);
    return 2;
  }
  let passed = 0;
  let failed = 0;
  for (const row of chosen) {
    const bench = new Bench(layoutFor(allowedProcessors(), "on"));
    stopOnSignal("traffic", bench);
    console.log(`${row.name}: ${row.title}`);
    const figures = await row.run({ bench, form, quick }).catch(toFailure);
    await bench.close();
    for (const figure of figures) console.log(tell(figure));
    const judged = figures.filter(({ isTimed }) => !quick || isTimed === undefined);
    passed += judged.filter(({ isMet }) => isMet).length;
    failed += judged.filter(({ isMet }) => !isMet).length;
  }
  console.log(`traffic: ${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function toFailure(error: unknown): readonly Figure[] {
  const value = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [{ what: "measured", must: "is", value, isMet: false }];
}

function tell({ what, must, value, isMet }: Figure): string {
  return `  ${isMet ? "met" : "NOT MET"}  ${what}: ${value} (${must})`;
}
