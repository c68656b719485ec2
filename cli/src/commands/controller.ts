/** `sallyport controller`: reads a cluster, gives proxies their configuration, and as the leader writes statuses and makes proxies. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { ApiFailure } from "@sallyport/controller/api/contract";
import { AuthorityFailure } from "@sallyport/controller/identity/authority-secret";
import { type ControllerOptions, type RunningController, startController } from "@sallyport/controller/run/controller";
import { Log, openLevel, parseLogLevel } from "@sallyport/gateway/log";
import { returnSpareMemory } from "@sallyport/gateway/spare-memory";
import type { HostPort } from "../options.ts";
import { VERSION } from "../version.ts";

/** Options of `sallyport controller`, as main.ts parsed them. */
export interface ControllerCommandOptions {
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly controllerName: string;
  readonly listen: HostPort;
  readonly metrics: HostPort;
  readonly advertise?: string;
  readonly trustDomain: string;
  readonly proxyImage: string;
  readonly proxyCode: "gateways" | "classes";
  readonly proxyBind: string;
  readonly allowExternalNames: boolean;
  readonly allowStaticEndpoints: boolean;
  readonly leaderElect: boolean;
  readonly kubeQps: number;
  readonly kubeBurst: number;
  readonly logLevel: string;
}

const NAMESPACE_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";
/** Names of people and of certificates are compared as they are written. */
const TRUST_DOMAIN = /^[-._a-z0-9]{1,255}$/;
/** Milliseconds: a shutdown that takes longer is given up. */
const LONGEST_SHUTDOWN = 5000;

/** Runs until SIGTERM or SIGINT. Sets the exit code: 0 after a shutdown, 1 where it could not start. */
export async function runController(options: ControllerCommandOptions): Promise<void> {
  const level = parseLogLevel(options.logLevel);
  if (level === undefined)
    return refuse(`--log-level wants debug, info, warn, error or off, not ${JSON.stringify(options.logLevel)}`);
  if (!TRUST_DOMAIN.test(options.trustDomain))
    return refuse(
      "--trust-domain wants lower case letters, digits, dots, dashes and underscores (SPIFFE ID, section 2.1)",
    );
  const namespace = options.namespace ?? findNamespace();
  if (namespace === undefined)
    return refuse("--namespace is needed outside of a cluster: where the Lease and the Secret sallyport-ca are");
  const log = new Log({
    format: process.stderr.isTTY ? "text" : "json",
    sink: (line) => process.stderr.write(`${line}\n`),
    level: openLevel(level),
    now: Date.now,
  });
  const stopping = new AbortController();
  const stopped = onceAsked(log, stopping);
  try {
    const controller = await startController(toControllerOptions(options, namespace, log), stopping.signal);
    returnSpareMemory();
    await stopped;
    await shutDown(controller, log);
  } catch (error) {
    if (stopping.signal.aborted) return;
    if (!isExpected(error)) throw error;
    refuse(error.message);
  }
}

function toControllerOptions(options: ControllerCommandOptions, namespace: string, log: Log): ControllerOptions {
  const { kubeconfig, controllerName, listen, metrics, trustDomain, proxyImage, proxyCode, proxyBind } = options;
  return {
    version: VERSION,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    namespace,
    identity: process.env["POD_NAME"] ?? `${hostname()}-${process.pid}`,
    controllerName,
    listen,
    metrics,
    advertise: options.advertise ?? `sallyport-controller.${namespace}.svc:${listen.port}`,
    trustDomain,
    image: proxyImage,
    codeFrom: proxyCode,
    bindAddress: proxyBind,
    allow: {
      externalNames: options.allowExternalNames ? "allowed" : "refused",
      staticEndpoints: options.allowStaticEndpoints ? "allowed" : "refused",
    },
    election: options.leaderElect ? "lease" : "alone",
    rate: { perSecond: options.kubeQps, burst: options.kubeBurst },
    log,
  };
}

/** Of the pod. */
function findNamespace(): string | undefined {
  const named = process.env["POD_NAMESPACE"];
  if (named !== undefined && named !== "") return named;
  try {
    return readFileSync(NAMESPACE_FILE, "utf8").trim();
  } catch {
    return undefined;
  }
}

function onceAsked(log: Log, stopping: AbortController): Promise<void> {
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      log.info("stopping: another replica takes over, proxies serve on", { signal });
      stopping.abort();
      resolve();
    };
    process.once("SIGTERM", stop);
    process.once("SIGINT", stop);
  });
}

/** A Lease that cannot be handed over runs out by itself. */
async function shutDown(controller: RunningController, log: Log): Promise<void> {
  const giveUp = setTimeout(() => {
    log.warn("the shutdown takes too long and is cut short: the Lease runs out by itself");
    process.exit(0);
  }, LONGEST_SHUTDOWN);
  await controller.close();
  clearTimeout(giveUp);
  log.info("stopped");
  // Idle connections of gRPC and keep-alive would hold the process for another second.
  process.exit(0);
}

function isExpected(error: unknown): error is Error {
  if (error instanceof ApiFailure || error instanceof AuthorityFailure) return true;
  return (
    error instanceof Error && "code" in error && ["EADDRINUSE", "EACCES", "EADDRNOTAVAIL"].includes(String(error.code))
  );
}

function refuse(message: string): void {
  process.stderr.write(`error: ${message}\n`);
  process.exitCode = 1;
}
