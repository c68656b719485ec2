/**
 * Shows a traffic mechanism step by step, in a shop of its own. Usage: node examples/shop/try.ts [NAME... [--keep]]
 * Without a name it lists them. Exit code 1: something was not as documented.
 */
import { parseArgs } from "node:util";
import { SCENARIOS } from "./scenarios.ts";
import { Shop } from "./shop.ts";

const { values, positionals } = parseArgs({ options: { keep: { type: "boolean" } }, allowPositionals: true });
if (positionals.length === 0) list();
else if (positionals.every((name) => Object.hasOwn(SCENARIOS, name))) process.exitCode = await show(positionals);
else {
  list();
  console.error(`\nthere is no ${positionals.find((name) => !Object.hasOwn(SCENARIOS, name))}`);
  process.exitCode = 2;
}

function list(): void {
  console.log("node_modules/.bin/node examples/shop/try.ts NAME... [--keep]\n");
  for (const [name, { title }] of Object.entries(SCENARIOS)) console.log(`  ${name.padEnd(18)} ${title}`);
}

/** Shows these one after the other in one shop; resolves with an exit code. */
async function show(names: readonly string[]): Promise<number> {
  const shop = await Shop.open((text) => console.log(`  ${text}`));
  let code = 0;
  for (const signal of ["SIGINT", "SIGTERM"])
    process.once(signal, () => void shop.close().then(() => process.exit(130)));
  for (const [index, name] of names.entries()) {
    console.log(`${name}: ${SCENARIOS[name]?.title}`);
    try {
      await shop.add(name);
      await SCENARIOS[name]?.run(shop);
      if (values.keep !== true || index < names.length - 1) await shop.remove(name);
    } catch (error) {
      console.error(`  ${error instanceof Error ? error.stack : String(error)}`);
      code = 1;
      break;
    }
  }
  if (values.keep === true) await keep(shop);
  if (code !== 0) console.error(`the gateway printed:\n${shop.output()}`);
  await shop.close();
  return code;
}

/** Leaves it running, for a look around, until Ctrl-C. */
function keep(shop: Shop): Promise<never> {
  console.log(shop.describe());
  return new Promise(() => {});
}
