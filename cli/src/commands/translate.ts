/** `sallyport translate DIR`: prints the snapshot a proxy would get and the statuses of the objects. Private keys are redacted. */
import { redactResource } from "@sallyport/model/snapshot";
import { stringify } from "yaml";
import { DEFAULT_OPTIONS, readConfiguration } from "../configuration.ts";
import { printProblems } from "../problems.ts";

/** Options of `sallyport translate`. */
export interface TranslateCommandOptions {
  readonly output: string;
  readonly portMap: ReadonlyMap<number, number>;
}

/** Prints to stdout; problems go to stderr. Returns the exit code: 1 where nothing could be translated, 2 for a wrong option. */
export async function translate(dir: string, options: TranslateCommandOptions): Promise<number> {
  if (options.output !== "yaml" && options.output !== "json") {
    console.error(`error: --output wants yaml or json, not ${JSON.stringify(options.output)}`);
    return 2;
  }
  const configuration = await readConfiguration(dir, { ...DEFAULT_OPTIONS, portMap: options.portMap });
  printProblems(configuration.problems);
  if (configuration.translation === undefined) return 1;
  const { snapshot, statuses } = configuration.translation;
  const shown = { resources: [...snapshot.resources.values()].map(redactResource), statuses };
  process.stdout.write(
    options.output === "json"
      ? `${JSON.stringify(shown, null, 2)}\n`
      : stringify(shown, { aliasDuplicateObjects: false }),
  );
  return 0;
}
