/**
 * What the encoder does with a field, by its name: how it may be kept in the peer's table, and how its name is written. What
 * belongs to one connection of HTTP/1.1 never comes out (RFC 9113 section 8.2.2).
 */
import { toLatin1 } from "../../wire/latin1.ts";
import { encodeInteger, encodeText } from "./literal.ts";
import { STATIC_FIELDS } from "./static-table.ts";

/**
 * How a field is kept. An entry pays when it comes again, and pushes out others when it does not; and whoever may add fields beside
 * a secret can find it out by the size of what is sent (RFC 7541 section 7.1), all the more where one connection upstream carries
 * the requests of many clients.
 */
export type Keeping =
  /** Kept when it is sent for the first time: names whose values hardly change. */
  | "always"
  /** Kept when the very same line is sent again soon: everything nobody knows better. */
  | "repeated"
  /** Never kept here: its value is another one each time. */
  | "once"
  /** Nobody on the way may keep it: a secret (section 7.1.3). */
  | "secret"
  /** Not sent at all. */
  | "dropped";

const NAMES: readonly { readonly keeping: Keeping; readonly names: string }[] = [
  {
    keeping: "always",
    names:
      "accept accept-charset accept-encoding accept-language accept-ranges access-control-allow-credentials " +
      "access-control-allow-headers access-control-allow-methods access-control-allow-origin access-control-expose-headers " +
      "access-control-max-age allow alt-svc cache-control content-encoding content-language content-security-policy " +
      "content-type grpc-accept-encoding grpc-encoding grpc-status permissions-policy referrer-policy server " +
      "strict-transport-security te trailer vary via x-content-type-options x-frame-options x-powered-by x-xss-protection",
  },
  {
    keeping: "once",
    names:
      "age content-length content-range etag grpc-message grpc-timeout if-modified-since if-none-match if-range " +
      "last-modified location range traceparent x-request-id",
  },
  { keeping: "secret", names: "authorization cookie proxy-authorization set-cookie" },
  {
    keeping: "dropped",
    names: "connection host http2-settings keep-alive proxy-connection transfer-encoding upgrade",
  },
];

const KEEPING_BY_NAME: ReadonlyMap<string, Keeping> = new Map(
  NAMES.flatMap(({ keeping, names }) => names.split(" ").map((name) => [name, keeping])),
);

/** The lowest index of each static name. */
const NAME_INDEX = new Map(
  STATIC_FIELDS.map(([name], index) => [name, index] as const)
    .filter(([name]) => name !== "")
    .toReversed(),
);

/** A name as some message spelled it. */
export class FieldName {
  /** As spelled, with the colon. */
  readonly text: string;
  /** In lower case, as it goes out. */
  readonly name: string;
  readonly keeping: Keeping;
  /** The beginning of a literal that is not kept, and of one that is: what remains is the value. */
  readonly literal: string;
  readonly kept: string;

  /** `spelled`: with the colon at its end. */
  constructor(spelled: string) {
    this.text = spelled;
    this.name = spelled.slice(0, -1).toLowerCase();
    this.keeping = this.name === "" ? "dropped" : (KEEPING_BY_NAME.get(this.name) ?? "repeated");
    const index = NAME_INDEX.get(this.name) ?? 0;
    const written = index === 0 ? encodeText(this.name) : "";
    this.literal = encodeInteger(index, 15, this.keeping === "secret" ? 16 : 0) + written;
    this.kept = encodeInteger(index, 63, 64) + written;
  }
}

/** Names that are remembered; those of today's traffic come back soon after all were forgotten. */
const MAX_NAMES = 1024;
/** Longer ones are not worth it. */
const MAX_LENGTH = 128;
const names = new Map<string, FieldName>();

/** What is known of a name, spelled with the colon at its end. */
export function toFieldName(spelled: string): FieldName {
  const known = names.get(spelled);
  if (known !== undefined) return known;
  const name = new FieldName(ownCopy(spelled));
  if (spelled.length > MAX_LENGTH) return name;
  if (names.size >= MAX_NAMES) names.clear();
  names.set(name.text, name);
  return name;
}

/** The same text without the larger one it was cut out of, which V8 would keep alive. */
export function ownCopy(text: string): string {
  return toLatin1(Buffer.from(text, "latin1"), 0, text.length);
}
