/** Who may import whom, as data, and the judgement of one file by it. ARCHITECTURE.md shows the same table to people. */
import { dirname, join } from "node:path/posix";
import { scanImports, type Import } from "./import-scan.ts";
import { isTest, type SourceFile } from "./source-files.ts";

interface PackageRule {
  /** Our packages that its sources may import. */
  readonly ours: readonly string[];
  /** Further ones that its tests may import. */
  readonly oursInTests: readonly string[];
  /** Node's modules that its sources may not import; `*` for all. */
  readonly notNode: readonly string[];
}

const DATA_PATH = ["http", "https", "http2", "stream", "stream/promises"];

/** The table. A package that is not in it does not exist. */
const PACKAGES: Readonly<Record<string, PackageRule>> = {
  model: { ours: [], oursInTests: ["testkit"], notNode: ["*"] },
  policies: {
    ours: ["model"],
    oursInTests: ["testkit"],
    notNode: [...DATA_PATH, "net", "tls", "dgram", "dns", "dns/promises", "fs", "fs/promises", "child_process"],
  },
  gateway: { ours: ["model", "policies"], oursInTests: ["testkit"], notNode: DATA_PATH },
  controller: { ours: ["model"], oursInTests: ["testkit"], notNode: [] },
  cli: { ours: ["model", "gateway", "controller"], oursInTests: ["testkit", "policies"], notNode: [] },
  testkit: { ours: ["model"], oursInTests: [], notNode: [] },
  // The controller's client of the API server is tried against a real one, which takes more than its own tests may need.
  conformance: { ours: ["testkit", "model"], oursInTests: ["controller"], notNode: [] },
  loadtest: { ours: ["testkit", "model"], oursInTests: [], notNode: [] },
  scripts: { ours: ["model", "controller", "gateway", "testkit"], oursInTests: [], notNode: [] },
  examples: { ours: [], oursInTests: ["testkit"], notNode: [] },
};

interface FolderRule {
  readonly folder: string;
  readonly why: string;
  /** True if a source file below the folder may import this; paths are relative to the root, others as written. */
  readonly allows: (target: string, from: string) => boolean;
}

/** What `gateway/src/<folder>` may import of its siblings; contracts (`contract.ts`) are open to all. */
const GATEWAY_LAYERS: Readonly<Record<string, readonly string[]>> = {
  time: [],
  wire: [],
  observe: ["time", "wire"],
  retry: [],
  session: [],
  router: ["observe", "retry"],
  cluster: ["observe", "retry", "session", "time", "wire"],
  head: ["wire"],
  exchange: ["head", "router", "cluster", "observe", "retry", "session", "time", "wire"],
  http1: ["exchange", "head", "cluster", "observe", "time", "wire"],
  stream: ["cluster", "observe", "session", "time", "wire"],
  datagram: ["cluster", "observe", "session", "time", "wire"],
  http2: ["exchange", "head", "cluster", "observe", "time", "wire"],
  upstream: ["exchange", "http1", "http2", "time", "wire"],
  probe: ["upstream", "exchange", "head", "time", "wire"],
  listener: ["stream", "http1", "http2", "exchange", "head", "observe", "time", "wire"],
  compile: ["listener", "router", "cluster", "head", "observe", "retry", "session", "time"],
  admin: ["observe"],
  remote: ["observe"],
};

/** What translators may read: the world, the model, and what the API's objects look like. */
const PURE = /^(controller\/src\/(translate\/|world\/|kube\/generated\/types\/|kube\/kinds\.ts$)|@sallyport\/model\/)/;

const FOLDERS: readonly FolderRule[] = [
  {
    folder: "controller/src/translate",
    why: "translators are pure and read only the world",
    allows: (target) => PURE.test(target),
  },
  ...["gateway-api", "ingress", "istio", "services"].map((api): FolderRule => ({
    folder: `controller/src/translate/${api}`,
    why: "translators of different APIs are blind to one another; what they share lies in translate/, its policy/ and its traffic/",
    allows: (target) =>
      !/^controller\/src\/translate\/(?!policy\/|traffic\/)[^/]+\//.test(target) ||
      target.startsWith(`controller/src/translate/${api}/`),
  })),
  ...["policy", "traffic"].map((shared): FolderRule => ({
    folder: `controller/src/translate/${shared}`,
    why: "what translators share knows none of them",
    allows: (target) => !/^controller\/src\/translate\/(?!policy\/|traffic\/)[^/]+\//.test(target),
  })),
  {
    folder: "gateway/src/router",
    why: "routing does no I/O",
    allows: (target) => !target.startsWith("node:"),
  },
  {
    folder: "gateway/src",
    why: "imports inside the gateway go down, never up (GATEWAY_LAYERS)",
    allows: (target, from) => {
      const [source, wanted] = [from, target].map((path) => /^gateway\/src\/([^/]+)\//.exec(path)?.[1]);
      if (source === undefined || wanted === undefined || source === wanted || target.endsWith("/contract.ts"))
        return true;
      const below = GATEWAY_LAYERS[source];
      return below === undefined || below.includes(wanted);
    },
  },
];

/** What is wrong with the imports of a file, in sentences; empty if nothing is. */
export function importProblems(file: SourceFile): string[] {
  const owner = file.path.split("/")[0] ?? "";
  const rule = PACKAGES[owner];
  if (rule === undefined) return [`${file.path}: ${owner}/ is not in the import table`];
  return scanImports(file.text).flatMap((found) => judge(file.path, owner, rule, found));
}

/** The file that a relative import names, relative to the root; other specifiers as they are. */
export function resolveImport(from: string, specifier: string): string {
  return specifier.startsWith(".") ? join(dirname(from), specifier) : specifier;
}

function judge(path: string, owner: string, rule: PackageRule, { specifier, kind }: Import): string[] {
  const target = resolveImport(path, specifier);
  const reasons = [
    ...packageReasons(path, owner, rule, { specifier, kind }),
    ...(isTest(path) ? [] : FOLDERS)
      .filter(({ folder, allows }) => path.startsWith(`${folder}/`) && !allows(target, path))
      .map(({ why }) => why),
  ];
  return reasons.map((why) => `${path} imports ${specifier}: ${why}`);
}

function packageReasons(path: string, owner: string, rule: PackageRule, { specifier, kind }: Import): string[] {
  const reasons: string[] = [];
  const leaves = specifier.startsWith(".") && resolveImport(path, specifier).split("/")[0] !== owner;
  // Scripts generate and inspect the sources of any package.
  if (leaves && kind !== "entry" && owner !== "scripts") reasons.push("a relative import may not leave its package");
  const ours = /^@sallyport\/([a-z]+)/.exec(specifier)?.[1];
  if (ours !== undefined && ours !== owner && !mayImport(path, rule, ours))
    reasons.push(`${owner} may not import ${ours}`);
  if (!isTest(path) && isForbiddenNode(owner, path, rule, specifier))
    reasons.push(`${owner} may not use this module of Node`);
  return reasons;
}

function mayImport(path: string, rule: PackageRule, wanted: string): boolean {
  return rule.ours.includes(wanted) || (isTest(path) && rule.oursInTests.includes(wanted));
}

function isForbiddenNode(owner: string, path: string, rule: PackageRule, specifier: string): boolean {
  // The admin interface and the metrics port serve operators, not traffic.
  if (owner === "gateway" && /^gateway\/src\/(admin|observe)\//.test(path)) return false;
  if (!specifier.startsWith("node:")) return false;
  return rule.notNode.includes("*") || rule.notNode.includes(specifier.slice("node:".length));
}
