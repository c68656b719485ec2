/**
 * What listeners ask of clients' certificates: the Gateway says it for all its ports (`spec.tls.frontend`, GEP-91), and a
 * listener of its own may make the certificate optional. A listener that cannot check what it is told to check is not
 * served.
 */
import type { ClientValidation } from "@sallyport/model/listener";
import type { Authorities } from "@sallyport/model/secret";
import type { GatewayListener, GatewaySpec, GatewayValidation } from "../../kube/generated/types/gateway.ts";
import { resolveAuthorities } from "../authorities.ts";
import { type Finding, type Flaw, hintName } from "../flaw.ts";
import { tellOwner } from "./gateway-plan.ts";
import { GATEWAY_API } from "../grants.ts";
import type { ListenerContext } from "./listeners.ts";

/** The TLS option by which a listener lets in clients without a certificate; those that show one must show a valid one. */
export const CLIENT_CERTIFICATE_OPTION = "sallyport.io/client-certificate";

/** What validation of clients comes to for one listener. */
export interface ClientValidationDraft {
  /** Undefined where clients are asked for nothing. */
  readonly validation?: ClientValidation;
  readonly authorities: readonly Authorities[];
  /** Why the listener is not accepted. */
  readonly flaws: readonly Flaw[];
  /** References that lead nowhere. */
  readonly unresolved: readonly Flaw[];
  readonly remarks: readonly Finding[];
}

/** Judges what a listener that terminates TLS asks of clients; `path` is the listener's. */
export function judgeClientValidation(
  context: ListenerContext,
  spec: GatewayListener,
  path: string,
): ClientValidationDraft {
  const option = judgeOption(context, spec, path);
  const found = findValidation(context.gateway.object.spec, spec.port);
  if (found === undefined) return { authorities: [], unresolved: [], ...option };
  const resolved = resolveRefs(context, found);
  const mode = found.validation.mode === "AllowInsecureFallback" ? "request" : option.mode;
  return {
    validation: { mode, authorities: resolved.authorities.map(({ key }) => key) },
    authorities: resolved.authorities,
    flaws: [...option.flaws, ...toListenerFlaws(context, path, resolved.flaws)],
    unresolved: toListenerFlaws(context, path, resolved.unresolved),
    remarks: option.remarks,
  };
}

/** Whether the Gateway lets in clients with certificates of any kind, somewhere. */
export function findInsecureFallbacks({ tls }: GatewaySpec): string[] {
  const frontend = tls?.frontend;
  if (frontend === undefined) return [];
  const isInsecure = (validation: GatewayValidation | undefined): boolean =>
    validation?.mode === "AllowInsecureFallback";
  return [
    ...(isInsecure(frontend.default.validation) ? ["spec.tls.frontend.default"] : []),
    ...(frontend.perPort ?? []).flatMap((entry, index) =>
      isInsecure(entry.tls.validation) ? [`spec.tls.frontend.perPort[${index}]`] : [],
    ),
  ];
}

interface FoundValidation {
  readonly validation: GatewayValidation;
  /** Path of the references, in the Gateway. */
  readonly path: string;
}

/** What is said of a port takes the place of the default as a whole, also where it says nothing of validation. */
function findValidation({ tls }: GatewaySpec, port: number): FoundValidation | undefined {
  const frontend = tls?.frontend;
  if (frontend === undefined) return undefined;
  const perPort = frontend.perPort ?? [];
  const index = perPort.findIndex((entry) => entry.port === port);
  const override = perPort[index];
  const { validation } = override === undefined ? frontend.default : override.tls;
  const where = override === undefined ? "default" : `perPort[${index}].tls`;
  return validation && { validation, path: `spec.tls.frontend.${where}.validation.caCertificateRefs` };
}

function resolveRefs(
  { world, gateway }: ListenerContext,
  { validation, path }: FoundValidation,
): Pick<ClientValidationDraft, "authorities" | "flaws" | "unresolved"> {
  const from = { group: GATEWAY_API, kind: "Gateway", namespace: gateway.namespace };
  const authorities = new Map<string, Authorities>();
  const unresolved: Flaw[] = [];
  for (const [index, ref] of validation.caCertificateRefs.entries()) {
    const reference = { from, ref, path: `${path}[${index}]`, kindReason: "InvalidCACertificateKind" } as const;
    const resolved = resolveAuthorities(world, reference);
    if (resolved.ok) authorities.set(resolved.value.key, resolved.value);
    else unresolved.push(resolved.error);
  }
  const flaws = authorities.size > 0 ? [] : [toNoAuthorities(path)];
  return { authorities: [...authorities.values()], flaws, unresolved };
}

function toNoAuthorities(path: string): Flaw {
  return {
    reason: "NoValidCACertificate",
    code: "invalid-certificate",
    path,
    message: "there is no usable certificate authority to check clients with, so the listener is not served",
  };
}

/** The owner of a ListenerSet is told that its Gateway's references are broken, not which they are. */
function toListenerFlaws({ owner, gateway }: ListenerContext, path: string, flaws: readonly Flaw[]): readonly Flaw[] {
  if (owner.kind === "Gateway") return flaws;
  return flaws.map(({ reason, code }) => ({
    reason,
    code,
    path,
    message: `the ${tellOwner(gateway)} demands certificates of clients on this port and has not all it needs to check them`,
    hint: "see the status of the Gateway",
  }));
}

interface ClientOption {
  readonly mode: "require" | "optional";
  readonly flaws: readonly Flaw[];
  readonly remarks: readonly Finding[];
}

const MODES: ReadonlyMap<string, ClientOption["mode"]> = new Map([
  ["required", "require"],
  ["optional", "optional"],
]);

function judgeOption({ gateway, owner }: ListenerContext, { tls, port }: GatewayListener, path: string): ClientOption {
  const value = tls?.options?.[CLIENT_CERTIFICATE_OPTION];
  if (value === undefined) return { mode: "require", flaws: [], remarks: [] };
  const optionPath = `${path}.tls.options["${CLIENT_CERTIFICATE_OPTION}"]`;
  const refuse = (message: string, hint: { readonly hint?: string } = {}): ClientOption => ({
    mode: "require",
    flaws: [{ reason: "UnsupportedValue", code: "unsupported-value", path: optionPath, message, ...hint }],
    remarks: [],
  });
  const mode = MODES.get(value);
  if (mode === undefined)
    return refuse(`${JSON.stringify(value)} is not one of its values`, hintName(value, [...MODES.keys()]));
  // Who may add listeners to a Gateway is not thereby allowed to weaken what the Gateway asks of clients.
  if (owner.kind !== "Gateway") return refuse("only a listener of the Gateway itself may have this option");
  const validation = findValidation(gateway.object.spec, port)?.validation;
  if (validation?.mode === "AllowValidOnly") return { mode, flaws: [], remarks: [] };
  const message = "the Gateway does not demand certificates of clients on this port, so the option has no effect";
  return { mode, flaws: [], remarks: [{ code: "unsupported-value", path: optionPath, message }] };
}
