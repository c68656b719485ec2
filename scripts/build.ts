/**
 * `npm run build`: bundles the command into dist/. What a role does not need stays in chunks that it never loads, and the
 * build proves it: a proxy's isolate must hold no YAML parser, no schema compiler and no command line.
 */
import { build, type Metafile, type Plugin } from "esbuild";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const root = dirname(import.meta.dirname);
const out = join(root, "dist");

/** Names of the bundles (without extension), and where each begins. */
const ENTRIES = { sallyport: "cli/src/main.ts", worker: "gateway/src/workers/worker.ts" } as const;

/** Costs memory in every isolate that loads it, and none needs it to start. Node's `http` and `tls` take 4 to 14 MB. */
const HEAVY = ["node_modules/ajv/dist/compile/", "node_modules/@peculiar/", "node_modules/prom-client/"].concat(
  ["http", "https", "http2", "tls"].map((name) => `node:${name}`),
);

/** What a proxy that gets its configuration from a controller does not load: neither with its start nor with its connection. */
const NOT_IN_PROXIES = [
  "node_modules/yaml/",
  "node_modules/@peculiar/",
  "node_modules/@kubernetes/",
  "node_modules/ajv/dist/compile/",
  "controller/src/",
];

/** What is loaded by a start, and what it must not bring with it; lazily imported chunks do not count. */
const STARTS: readonly { readonly source: string; readonly without: readonly string[] }[] = [
  { source: ENTRIES.sallyport, without: [...HEAVY, "node_modules/yaml/", "gateway/src/", "controller/src/"] },
  { source: "cli/src/commands/run.ts", without: HEAVY },
  { source: "cli/src/commands/gateway.ts", without: [...HEAVY, ...NOT_IN_PROXIES, "node_modules/@grpc/"] },
  { source: "gateway/src/remote/connection.ts", without: [...NOT_IN_PROXIES, "node_modules/prom-client/"] },
  { source: "gateway/src/workers/local-member.ts", without: HEAVY },
  { source: "gateway/src/admin/server.ts", without: HEAVY },
  {
    source: ENTRIES.worker,
    without: [...HEAVY, "node_modules/yaml/", "node_modules/commander/", "controller/src/", "cli/src/"],
  },
];

/** CommonJS packages ask for Node's own modules by `require`, which a module does not have. */
const BANNER = `import { createRequire as sallyportRequire } from "node:module"; const require = sallyportRequire(import.meta.url);`;

/**
 * The model's TypeBox schemas are values for the scripts that compile validators ahead. At run time only their types are
 * left, so calls that build a schema may be dropped where nobody uses it, and with them all of TypeBox.
 */
const droppableSchemas: Plugin = {
  name: "droppable-schemas",
  setup(builder) {
    builder.onLoad({ filter: /\/model\/src\/[^/]+\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replaceAll(/\bType\.\w+\(/g, "/* @__PURE__ */ $&"),
      loader: "ts",
    }));
  },
};

const started = performance.now();
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: Object.entries(ENTRIES).map(([name, path]) => ({ in: path, out: name })),
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: true,
  // Flat, so that a module finds the worker's bundle beside itself wherever it ends up.
  chunkNames: "[name]-[hash]",
  format: "esm",
  platform: "node",
  target: "node24",
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "linked",
  sourcemap: "linked",
  sourcesContent: false,
  banner: { js: BANNER },
  plugins: [droppableSchemas],
  metafile: true,
  logLevel: "warning",
});
// For whoever wonders where the bytes come from: esbuild's analyzers read this file.
writeFileSync(join(out, "metafile.json"), JSON.stringify(metafile));
report(metafile);

function report({ outputs }: Metafile): void {
  const leaks: string[] = [];
  for (const { source, without } of STARTS) {
    const file = Object.keys(outputs).find((path) => outputs[path]?.entryPoint === source);
    if (file === undefined) throw new Error(`esbuild wrote no chunk for ${source}`);
    const loaded = closure(outputs, file);
    const bytes = loaded.reduce((sum, path) => sum + (outputs[path]?.bytes ?? 0), 0);
    console.log(`${file}: loads ${(bytes / 1024).toFixed(0)} KiB in ${loaded.length} files at start`);
    const parts = loaded.flatMap((path) => partsOf(outputs[path]));
    for (const banned of without) {
      const found = parts.find((part) => part.includes(banned));
      if (found !== undefined) leaks.push(`${file} loads ${found} at start`);
    }
  }
  const total = Object.values(outputs).reduce((sum, { bytes }) => sum + bytes, 0);
  console.log(
    `dist/: ${(total / 1024).toFixed(0)} KiB with source maps, ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  for (const leak of leaks) console.error(`FAILED  ${leak}: import it lazily, or where it is needed`);
  if (leaks.length > 0) process.exitCode = 1;
}

/** Sources that a file is made of, and Node's modules that it imports. */
function partsOf(output: Metafile["outputs"][string] | undefined): readonly string[] {
  if (output === undefined) return [];
  const external = output.imports.filter((each) => each.external === true && each.kind === "import-statement");
  return [...Object.keys(output.inputs), ...external.map(({ path }) => path)];
}

/** The files that Node reads when it starts this one: itself and its static imports. */
function closure(outputs: Metafile["outputs"], first: string): string[] {
  const seen = new Set([first]);
  for (const path of seen) {
    for (const { path: next, kind, external } of outputs[path]?.imports ?? []) {
      if (kind === "import-statement" && external !== true) seen.add(next);
    }
  }
  return [...seen];
}
