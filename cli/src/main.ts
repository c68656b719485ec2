/** The `sallyport` command: parses the command line and loads the one command that was asked for. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { CheckOptions } from "./commands/check.ts";
import type { ControllerCommandOptions } from "./commands/controller.ts";
import type { DevCertificateOptions } from "./commands/dev-certificate.ts";
import type { GatewayCommandOptions } from "./commands/gateway.ts";
import type { RunOptions } from "./commands/run.ts";
import type { TranslateCommandOptions } from "./commands/translate.ts";
import { type HostPort, parseHostPort, parseLabel, parsePortMap, parseCount, parsePositiveInteger } from "./options.ts";
import { VERSION } from "./version.ts";

const program = new Command("sallyport")
  .description("Edge gateway and service mesh for Gateway API, Ingress and Istio objects.")
  .version(VERSION)
  .showHelpAfterError()
  .exitOverride();

serving(
  program
    .command("run")
    .description("serve the Kubernetes objects in the YAML files below DIR, and follow their changes")
    .argument("<dir>", "directory (or file) of YAML or JSON")
    .addOption(portMap())
    .option("--bind <address>", "address of listeners whose Gateway names none", "0.0.0.0")
    .option("--trusted-hops <n>", "proxies in front that may say who the client is", as(parseCount), 0)
    .option("--region <region>", "where this runs, for policies that prefer what is near", "")
    .option("--zone <zone>", "its zone: endpoints meant for this zone are preferred", "")
    .option("--subzone <subzone>", "its part of the zone", "")
    .addOption(labels()),
).action(async (dir: string, options: RunOptions) => (await import("./commands/run.ts")).run(dir, options));

serving(
  program
    .command("gateway")
    .description("serve what a controller says, as one of the proxies of a Gateway")
    .requiredOption("--group <key>", "NAMESPACE/NAME of the Gateway, or Ingress")
    .addOption(
      new Option("--controller <host:port>", "the controller").argParser(as(parseHostPort)).makeOptionMandatory(),
    )
    .option("--ca <file>", "PEM of what the controller's certificate is signed by", "/etc/sallyport/ca/ca.crt")
    .option("--token <file>", "projected service account token", "/var/run/secrets/sallyport/token")
    .option("--state-dir <dir>", "where the last good configuration is kept (private keys too)", "/var/lib/sallyport"),
).action(async (options: GatewayCommandOptions) => (await import("./commands/gateway.ts")).runGateway(options));

program
  .command("controller")
  .description("read the objects of a cluster, make proxies for them, and give these their configuration")
  .option("--kubeconfig <file>", "how to reach the API server (default: the pod's service account, else as kubectl)")
  .option("--namespace <name>", "where the controller runs (default: the pod's)")
  .option("--controller-name <name>", "GatewayClasses that name it are ours", "sallyport.io/gateway-controller")
  .addOption(address("--listen", "configuration and certificates of proxies", { host: "0.0.0.0", port: 15012 }))
  .addOption(address("--metrics", "health, readiness and metrics", { host: "0.0.0.0", port: 15014 }))
  .option("--advertise <host:port>", "where proxies find it (default: its Service)")
  .option("--trust-domain <name>", "first part of the identities it signs", "cluster.local")
  .option("--proxy-image <image>", "image of proxies", `ghcr.io/sallyport/sallyport:${VERSION}`)
  .addOption(
    new Option("--proxy-code <whose>", "GatewayParameters that may set image, imagePullSecrets and env")
      .choices(["gateways", "classes"])
      .default("gateways"),
  )
  .option("--proxy-bind <address>", "address that proxies listen at in their pods", "0.0.0.0")
  .option("--allow-external-names", "let Services of type ExternalName be backends: they name any host", false)
  .option("--allow-static-endpoints", "heed the annotation sallyport.io/endpoints: it names any address", false)
  .option("--leader-elect", "write statuses and make proxies only while holding the Lease", true)
  .option("--no-leader-elect", "lead without asking; for a single replica")
  .option("--kube-qps <n>", "requests a second to the API server", as(parsePositiveInteger), 300)
  .option("--kube-burst <n>", "requests to the API server at once", as(parsePositiveInteger), 600)
  .option("--log-level <level>", "debug, info, warn or error", "info")
  .action(async (options: ControllerCommandOptions) =>
    (await import("./commands/controller.ts")).runController(options),
  );

program
  .command("check")
  .description("read DIR as `run` would and print what is wrong; exit code 1 if anything is")
  .argument("<dir>", "directory (or file) of YAML or JSON")
  .option("-o, --output <format>", "text or json", "text")
  .action(async (dir: string, options: CheckOptions) => {
    process.exitCode = await (await import("./commands/check.ts")).check(dir, options);
  });

program
  .command("translate")
  .description("print the configuration a proxy would get for DIR, and the statuses of its objects")
  .argument("<dir>", "directory (or file) of YAML or JSON")
  .option("-o, --output <format>", "yaml or json", "yaml")
  .addOption(portMap())
  .action(async (dir: string, options: TranslateCommandOptions) => {
    process.exitCode = await (await import("./commands/translate.ts")).translate(dir, options);
  });

program
  .command("dev-certificate")
  .description("print a Secret with a certificate for these host names and addresses (for trying things out)")
  .argument("<host...>", "DNS names or IP addresses")
  .option("--name <name>", "metadata.name of the Secret", "dev-certificate")
  .option("--namespace <namespace>", "metadata.namespace of the Secret", "default")
  .option("--days <n>", "validity", as(parsePositiveInteger), 30)
  .option("--authority", "sign it by a new authority, and add that as ca.crt, instead of self-signing")
  .option("--files <dir>", "also write the entries of the Secret there, as PEM files")
  .action(async (hosts: readonly string[], options: DevCertificateOptions) =>
    (await import("./commands/dev-certificate.ts")).printDevCertificate(hosts, options),
  );

/** Options of every command that serves traffic. */
function serving(command: Command): Command {
  return command
    .option("--workers <n>", "threads that serve traffic; 1 serves in the main thread", as(parsePositiveInteger), 1)
    .addOption(address("--admin", "admin interface", { host: "127.0.0.1", port: 15000 }))
    .addOption(address("--metrics", "metrics and readiness", { host: "0.0.0.0", port: 15020 }))
    .option("--access-log <target>", "off, - for stdout, or a file", "-")
    .option("--access-log-format <format>", "json, text, or a format string with Envoy's operators", "json")
    .option("--metrics-labels <labels>", "extra labels on request metrics: route, cluster (capped)", "")
    .option("--min-drain <seconds>", "keep accepting this long after SIGTERM", as(parseCount), 5)
    .option("--max-drain <seconds>", "end open requests after this long", as(parseCount), 30)
    .option("--log-level <level>", "debug, info, warn or error", "info");
}

/** Adapts a parser that returns a Result to commander, which wants an exception. */
function as<T>(parse: (text: string) => { ok: true; value: T } | { ok: false; error: string }): (text: string) => T {
  return (text) => {
    const parsed = parse(text);
    if (!parsed.ok) throw new InvalidArgumentError(parsed.error);
    return parsed.value;
  };
}

function address(flag: string, what: string, fallback: HostPort): Option {
  return new Option(`${flag} <host:port>`, what)
    .argParser(as(parseHostPort))
    .default(fallback, `${fallback.host}:${fallback.port}`);
}

function portMap(): Option {
  return new Option("--port-map <a=b>", "bind port B for listeners of port A, e.g. 80=8080; repeatable")
    .argParser((text: string, map: Map<number, number>) => new Map([...map, as(parsePortMap)(text)]))
    .default(new Map<number, number>(), "none");
}

function labels(): Option {
  return new Option("--label <key=value>", "a label of where this runs, for priorities by labels; repeatable")
    .argParser((text: string, map: Map<string, string>) => new Map([...map, as(parseLabel)(text)]))
    .default(new Map<string, string>(), "none");
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
