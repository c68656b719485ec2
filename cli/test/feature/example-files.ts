/** The files of an example as a test can serve them: with backends on ports of its own. */
import { readFileSync, readdirSync } from "node:fs";

/** Its YAML files by name; the `count` ports from `from` on are those from `to` on. */
export function readExampleFiles(
  example: URL,
  ports: { readonly from: number; readonly to: number; readonly count: number },
): Record<string, string> {
  const files: Record<string, string> = {};
  for (const name of readdirSync(example).filter((file) => file.endsWith(".yaml"))) {
    let text = readFileSync(new URL(name, example), "utf8");
    for (let i = 0; i < ports.count; i++) text = text.replaceAll(`:${ports.from + i}"`, `:${ports.to + i}"`);
    files[name] = text;
  }
  return files;
}
