/**
 * What policies for clients come to where listeners share a port. Most of what they say holds before anybody knows for which of the
 * listeners a connection is. Listeners of one owner each have their say, and proxies keep the strictest. Those of other owners follow the
 * owner whose listeners are first there: nobody who may add a listener can cut others short by it.
 */
import { toBindKey } from "@sallyport/model/listener";
import { type FieldFate, type Layer, mergeLayers } from "../policy/attachment.ts";
import type { ClientField, ClientFields, ClientSettings } from "./client-settings.ts";
import { type GatewayPlan, type ListenerBind, type ListenerPlan, tellOwner } from "./gateway-plan.ts";

/** One listener that is served, and what is said of it. */
export interface ClientListener {
  readonly gateway: GatewayPlan;
  readonly listener: ListenerPlan;
  /** The most specific first. */
  readonly layers: readonly Layer<ClientFields>[];
}

/** What a listener comes to at one of its addresses. */
export interface SettledListener {
  readonly gateway: GatewayPlan;
  readonly listener: ListenerPlan;
  readonly bind: ListenerBind;
  readonly fields: ClientFields;
  readonly fates: readonly FieldFate[];
}

/**
 * Settles listeners of the same proxies, which are given in order of precedence: older Gateways first, of each its own before its
 * sets'.
 */
export function settlePorts(listeners: readonly ClientListener[]): readonly SettledListener[] {
  const places = listeners.flatMap((one): Place[] => {
    const { fields, fates } = mergeLayers(one.layers);
    return one.listener.binds.map((bind) => ({ ...one, bind, fields, fates }));
  });
  const ports = Map.groupBy(places, ({ bind, listener: { protocol = "tcp" } }) => toBindKey({ bind, protocol }));
  return [...ports.values()].flatMap(settlePort);
}

type Place = ClientListener & SettledListener;

function settlePort(places: readonly Place[]): SettledListener[] {
  const [leader] = places;
  if (leader === undefined) return [];
  const contrasts = findContrasts(places.filter(({ listener }) => listener.owner === leader.listener.owner));
  return places.map((place) =>
    place.listener.owner === leader.listener.owner ? among(place, leader, contrasts) : follow(place, leader),
  );
}

/** Fields that hold for the listener alone, whoever else is on its port. */
const OWN_FIELDS: ReadonlySet<string> = new Set<ClientField>(["healthCheck", "tls"]);

/** By field: the first place, and the first that differs from it. */
type Contrasts = ReadonlyMap<string, readonly [first: Place, other: Place]>;

function findContrasts(places: readonly Place[]): Contrasts {
  const contrasts = new Map<string, readonly [Place, Place]>();
  const [first] = places;
  if (first === undefined) return contrasts;
  const fields = new Set(places.flatMap((place) => Object.keys(place.fields)));
  for (const field of fields) {
    const other = OWN_FIELDS.has(field) ? undefined : places.find((place) => !isSame(place, first, field));
    if (other !== undefined) contrasts.set(field, [first, other]);
  }
  return contrasts;
}

/** Of the owner who is first: all fields count, but the PROXY header, which comes before anything is told apart, as at the first. */
function among(place: Place, leader: Place, contrasts: Contrasts): SettledListener {
  const { gateway, listener, bind, fields, fates } = place;
  const shared = fates.flatMap(({ owner, field, by }): FieldFate[] => {
    const contrast = by === owner ? contrasts.get(field) : undefined;
    const other = contrast?.find((peer) => !isSame(peer, place, field));
    return other === undefined ? [] : [{ owner, field, by: tellPeer(other) }];
  });
  const { proxyProtocol } = leader.fields;
  return { gateway, listener, bind, fields: { ...fields, proxyProtocol }, fates: [...fates, ...shared] };
}

/** Of another owner: what is not for it alone is as at the first. */
function follow(place: Place, leader: Place): SettledListener {
  const { gateway, listener, bind } = place;
  const { healthCheck, tls } = place.fields;
  const fates = place.fates.map((fate): FieldFate => {
    const isLost = fate.by === fate.owner && !OWN_FIELDS.has(fate.field) && !isSame(leader, place, fate.field);
    return isLost ? { ...fate, by: tellPeer(leader) } : fate;
  });
  return { gateway, listener, bind, fields: { ...leader.fields, healthCheck, tls }, fates };
}

/** Most often they are of one policy. */
function isSame(one: Place, other: Place, field: string): boolean {
  const [left, right] = [settingsOf(one, field), settingsOf(other, field)];
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}

function settingsOf({ fields }: Place, field: string): ClientSettings | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fates name fields of their layers
  return fields[field as ClientField];
}

function tellPeer({ listener: { owner, spec } }: Place): string {
  return `the listener ${spec.name} of the ${tellOwner(owner)}, which shares port ${spec.port}`;
}
