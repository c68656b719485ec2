/** One Gateway, judged by itself: class, parameters, addresses, annotations, and its listeners and ListenerSets one by one. */
import type { World, WorldObject } from "../../world/world.ts";
import type { Finding, Flaw } from "../flaw.ts";
import { toIpVersion } from "../ip-address.ts";
import type { TranslateOptions } from "../translator.ts";
import { resolveBackendCertificate } from "./certificates.ts";
import { findClassFlaws } from "./gateway-class.ts";
import type { GatewayDraft } from "./gateway-plan.ts";
import { readGatewaySettings } from "./gateway-settings.ts";
import { draftListenerSet } from "./listener-sets.ts";
import { draftListener, type GatewayContext } from "./listeners.ts";

/** A Gateway of ours with what belongs to it. */
export interface GatewayParts {
  readonly gateway: WorldObject<"Gateway">;
  readonly gatewayClass: WorldObject<"GatewayClass">;
  /** In order of precedence. */
  readonly sets: readonly WorldObject<"ListenerSet">[];
}

/** Judges one Gateway. */
export function draftGateway(world: World, options: TranslateOptions, parts: GatewayParts): GatewayDraft {
  const { gateway, gatewayClass, sets } = parts;
  const { addresses, flaws: addressFlaws } = selectAddresses(gateway, options);
  const { settings, flaws: settingFlaws, remarks } = readGatewaySettings(gateway);
  const { backendCertificate, unresolved } = resolveBackendCertificate(world, gateway);
  const context: GatewayContext = { world, options, gateway, addresses };
  return {
    gateway,
    flaws: [...findRejectedClass(gatewayClass), ...findParameterFlaws(gateway), ...addressFlaws, ...settingFlaws],
    unresolved,
    remarks: [...remarks, ...findRemarks(gateway)],
    settings,
    backendCertificate,
    listeners: gateway.object.spec.listeners.map((spec, index) =>
      draftListener({ ...context, owner: gateway }, spec, index),
    ),
    sets: sets.map((set) => draftListenerSet(context, set)),
  };
}

function selectAddresses(
  { object: { spec } }: WorldObject<"Gateway">,
  { bindAddress }: TranslateOptions,
): { readonly addresses: readonly string[]; readonly flaws: readonly Flaw[] } {
  const addresses = new Set<string>();
  const flaws: Flaw[] = [];
  for (const [index, { type, value }] of (spec.addresses ?? []).entries()) {
    const path = `spec.addresses[${index}]`;
    const address = value ?? "";
    if (type !== "IPAddress") flaws.push(toAddressFlaw(`${path}.type`, `addresses of type ${type} are not supported`));
    else if (address === "") addresses.add(bindAddress);
    else if (toIpVersion(address) === undefined)
      flaws.push(toAddressFlaw(`${path}.value`, `${address} is no IP address`));
    else addresses.add(address);
  }
  return { addresses: addresses.size === 0 ? [bindAddress] : dropCovered(addresses), flaws };
}

/** An unspecified address is bound for all of its family (`::` for both): nothing else can be bound beside it. */
function dropCovered(addresses: ReadonlySet<string>): string[] {
  if (addresses.has("::")) return ["::"];
  if (!addresses.has("0.0.0.0")) return [...addresses];
  return [...addresses].filter((address) => address === "0.0.0.0" || toIpVersion(address) === 6);
}

function toAddressFlaw(path: string, message: string): Flaw {
  return { reason: "UnsupportedAddress", code: "unsupported-value", path, message, hint: "use the type IPAddress" };
}

function findRejectedClass(gatewayClass: WorldObject<"GatewayClass">): Flaw[] {
  if (findClassFlaws(gatewayClass).length === 0) return [];
  const message = `its GatewayClass ${gatewayClass.name} is not accepted`;
  return [{ reason: "Invalid", code: "unsupported-value", path: "spec.gatewayClassName", message }];
}

function findParameterFlaws({ object: { spec } }: WorldObject<"Gateway">): Flaw[] {
  const ref = spec.infrastructure?.parametersRef;
  if (ref === undefined) return [];
  const message = `parameters of kind ${ref.kind} (${ref.group}) are not supported`;
  const path = "spec.infrastructure.parametersRef";
  return [{ reason: "InvalidParameters", code: "unsupported-value", path, message }];
}

/** Fields that have no effect and do no harm by it. */
function findRemarks({ object: { spec } }: WorldObject<"Gateway">): Finding[] {
  if (spec.defaultScope !== "All") return [];
  const message = "default Gateways are not supported: routes must name this one";
  return [{ code: "unsupported-value", path: "spec.defaultScope", message }];
}
