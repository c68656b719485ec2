/** `sallyport check DIR`: everything that is wrong with the files, before anybody serves them. */
import { countProblems, printProblems } from "../problems.ts";
import { DEFAULT_OPTIONS, readConfiguration } from "../configuration.ts";

/** Options of `sallyport check`. */
export interface CheckOptions {
  readonly output: string;
}

/** Prints problems (text: stderr; json: an array on stdout). Exit code 0 clean, 1 problems (warnings too), 2 wrong option. */
export async function check(dir: string, options: CheckOptions): Promise<number> {
  if (options.output !== "text" && options.output !== "json") {
    console.error(`error: --output wants text or json, not ${JSON.stringify(options.output)}`);
    return 2;
  }
  const { problems } = await readConfiguration(dir, DEFAULT_OPTIONS);
  if (options.output === "json") process.stdout.write(`${JSON.stringify(problems, null, 2)}\n`);
  else {
    printProblems(problems);
    process.stdout.write(`${dir}: ${countProblems(problems)}\n`);
  }
  return problems.length === 0 ? 0 : 1;
}
