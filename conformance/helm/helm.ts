// The helm command, built once from the Go module beside this file, and the chart it installs.
import { join } from "node:path";
import { buildGo } from "../go-program.ts";

/** The folder of the chart. */
export const CHART = join(import.meta.dirname, "../../charts/sallyport");

/** Its path; `say` hears how long a build takes. */
export async function buildHelm(say: (line: string) => void = () => {}): Promise<string> {
  return buildGo(
    {
      name: "helm",
      directory: import.meta.dirname,
      package: "helm.sh/helm/v4/cmd/helm",
      flags: ["-gcflags=all=-dwarf=false"],
      usually: "4 minutes",
    },
    say,
  );
}
