// Programs of others that judge HTTP/2, fetched once: h2spec by Go's own client, h2 and hpack by pip.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const H2SPEC = "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible";
const PACKAGES = ["h2==4.4.1", "hpack==4.2.0", "hyperframe==6.1.0"];
const CACHE = fileURLToPath(new URL("../../.cache", import.meta.url));

/** The path of h2spec. */
export async function installH2spec(): Promise<string> {
  const bin = `${CACHE}/bin`;
  if (!existsSync(`${bin}/h2spec`)) {
    const environment = { ...process.env, GOBIN: bin, PATH: `${process.env["PATH"] ?? ""}:/usr/local/go/bin` };
    await need("go", ["install", H2SPEC], "h2spec needs a Go toolchain (1.22 or newer)", environment);
  }
  return `${bin}/h2spec`;
}

/** The path of a Python that has h2. */
export async function installPython(): Promise<string> {
  const venv = `${CACHE}/http2/${PACKAGES.join("-")}`;
  const python = `${venv}/bin/python`;
  if (existsSync(`${venv}/ready`)) return python;
  await need("python3", ["-m", "venv", "--clear", venv], "h2 needs Python 3 with venv");
  await need(python, ["-m", "pip", "install", "--quiet", ...PACKAGES], `h2 needs ${PACKAGES.join(", ")} from PyPI`);
  await need(python, ["-c", `import h2; open(${JSON.stringify(`${venv}/ready`)}, "w")`], "h2 does not load");
  return python;
}

async function need(command: string, args: readonly string[], what: string, environment = process.env): Promise<void> {
  try {
    await run(command, args, { env: environment });
  } catch (error) {
    throw new Error(`${what}; \`${[command, ...args].join(" ")}\` failed`, { cause: error });
  }
}
