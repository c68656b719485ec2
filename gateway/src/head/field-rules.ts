/**
 * Field names that a gateway must know, as data: what each is for, and why it is not just passed on. Every name that is
 * not here passes unchanged. Names are lower case.
 */

/** What the codec does with a field. */
export type FieldRole =
  /** Becomes the authority; exactly one (RFC 9110 section 7.2). */
  | "host"
  | "content-length"
  | "transfer-encoding"
  | "connection"
  | "upgrade"
  | "te"
  | "expect"
  /** Kept where the body is chunked and the list names nothing forbidden. */
  | "trailer"
  /** Concerns one connection only: never passed on. */
  | "hop-by-hop"
  /** Appended to, or replaced where nobody in front of us is trusted. */
  | "forwarded-for"
  | "forwarded-proto"
  | "request-id"
  /** Says who the client is or what it asked of a proxy in front: dropped where nobody in front of us is trusted. */
  | "untrusted"
  /** As untrusted, and replaced where the client has proven who it is. */
  | "client-certificate"
  /** Counts the hops that TRACE and OPTIONS may make. */
  | "max-forwards"
  /** Added where an answer has none (RFC 9110 section 6.6.1). */
  | "date";

/** One name and its role; `in` restricts it to requests or responses. */
export interface FieldRule {
  readonly name: string;
  readonly role: FieldRole;
  readonly in: "request" | "response" | "both";
  readonly why: string;
}

/** All exact names. */
export const FIELD_RULES: readonly FieldRule[] = [
  { name: "host", role: "host", in: "request", why: "routing; absolute-form replaces it" },
  { name: "content-length", role: "content-length", in: "both", why: "framing" },
  { name: "transfer-encoding", role: "transfer-encoding", in: "both", why: "framing" },
  { name: "connection", role: "connection", in: "both", why: "lists hop-by-hop fields" },
  { name: "upgrade", role: "upgrade", in: "both", why: "hop-by-hop; renewed for tunnels" },
  { name: "te", role: "te", in: "both", why: "hop-by-hop; renewed for trailers" },
  { name: "trailer", role: "trailer", in: "both", why: "announces trailers, which only chunked bodies have" },
  { name: "expect", role: "expect", in: "request", why: "100-continue is relayed, anything else is 417" },
  { name: "keep-alive", role: "hop-by-hop", in: "both", why: "RFC 9110 section 7.6.1" },
  { name: "proxy-connection", role: "hop-by-hop", in: "both", why: "RFC 9110 section 7.6.1" },
  { name: "http2-settings", role: "hop-by-hop", in: "both", why: "h2c upgrade smuggling (RFC 9113 section 3.1)" },
  { name: "max-forwards", role: "max-forwards", in: "request", why: "RFC 9110 section 7.6.2" },
  { name: "date", role: "date", in: "response", why: "RFC 9110 section 6.6.1" },
  { name: "x-forwarded-for", role: "forwarded-for", in: "request", why: "the client address" },
  { name: "x-forwarded-proto", role: "forwarded-proto", in: "request", why: "the client's scheme" },
  { name: "x-request-id", role: "request-id", in: "request", why: "ours at the edge" },
  { name: "forwarded", role: "untrusted", in: "request", why: "RFC 7239: the same facts as X-Forwarded-*" },
  { name: "x-real-ip", role: "untrusted", in: "request", why: "nginx: client address" },
  { name: "x-client-ip", role: "untrusted", in: "request", why: "client address" },
  { name: "x-cluster-client-ip", role: "untrusted", in: "request", why: "Rackspace, Riverbed: client address" },
  { name: "x-original-forwarded-for", role: "untrusted", in: "request", why: "ingress-nginx: client address" },
  { name: "x-envoy-external-address", role: "untrusted", in: "request", why: "Envoy: client address" },
  { name: "true-client-ip", role: "untrusted", in: "request", why: "Akamai, Cloudflare: client address" },
  { name: "cf-connecting-ip", role: "untrusted", in: "request", why: "Cloudflare: client address" },
  { name: "fastly-client-ip", role: "untrusted", in: "request", why: "Fastly: client address" },
  { name: "x-original-url", role: "untrusted", in: "request", why: "some frameworks route by it instead of the path" },
  { name: "x-original-uri", role: "untrusted", in: "request", why: "some frameworks route by it instead of the path" },
  { name: "x-original-host", role: "untrusted", in: "request", why: "some frameworks route by it instead of Host" },
  { name: "x-rewrite-url", role: "untrusted", in: "request", why: "IIS and some frameworks route by it" },
  { name: "x-host", role: "untrusted", in: "request", why: "some frameworks route by it instead of Host" },
  { name: "x-url-scheme", role: "untrusted", in: "request", why: "WSGI servers take the scheme from it" },
  { name: "front-end-https", role: "untrusted", in: "request", why: "IIS backends take the scheme from it" },
  { name: "client-cert", role: "untrusted", in: "request", why: "RFC 9440 section 3.1: must not come from clients" },
  { name: "client-cert-chain", role: "untrusted", in: "request", why: "RFC 9440 section 3.1" },
  {
    name: "x-forwarded-client-cert",
    role: "client-certificate",
    in: "request",
    why: "Envoy: identity of a client certificate; ours where there is one",
  },
  { name: "ssl-client-cert", role: "untrusted", in: "request", why: "ingress-nginx: identity of a client certificate" },
  {
    name: "ssl-client-verify",
    role: "untrusted",
    in: "request",
    why: "ingress-nginx: identity of a client certificate",
  },
  { name: "ssl-client-subject-dn", role: "untrusted", in: "request", why: "ingress-nginx: identity of a certificate" },
  { name: "ssl-client-issuer-dn", role: "untrusted", in: "request", why: "ingress-nginx: identity of a certificate" },
];

/** Prefixes of names that untrusted clients may not send. */
export const UNTRUSTED_PREFIXES: readonly { readonly prefix: string; readonly why: string }[] = [
  { prefix: "x-forwarded-", why: "Host, Port, Prefix, User, ...: facts only a proxy may state" },
  {
    prefix: "x-envoy-",
    why: "internal instructions (retries, timeouts, original path); Envoy strips them at its edge",
  },
];

/** Names that are neither readable nor writable as headers: framing, routing and hop-by-hop fields. */
export const RESERVED_FIELDS: ReadonlySet<string> = new Set(
  FIELD_RULES.filter((rule) => {
    switch (rule.role) {
      case "host":
      case "content-length":
      case "transfer-encoding":
      case "connection":
      case "upgrade":
      case "te":
      case "expect":
      case "trailer":
      case "hop-by-hop":
        return true;
      default:
        return false;
    }
  }).map((rule) => rule.name),
);

/**
 * Fields that are dropped from a trailer section (RFC 9110 section 6.5.1): a recipient that merges trailers into its
 * headers must not be told anew how the message is framed, routed, authenticated or to be read.
 */
const FORBIDDEN_TRAILERS: ReadonlySet<string> = new Set([
  // framing and hop-by-hop
  ...RESERVED_FIELDS,
  // whom it is from and for
  ...FIELD_RULES.filter((rule) => rule.in !== "response").map((rule) => rule.name),
  // authentication and state
  "authorization",
  "proxy-authorization",
  "proxy-authenticate",
  "www-authenticate",
  "authentication-info",
  "proxy-authentication-info",
  "cookie",
  "set-cookie",
  "set-cookie2",
  // request modifiers and response control data
  "age",
  "cache-control",
  "date",
  "expires",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "location",
  "pragma",
  "range",
  "retry-after",
  "vary",
  "warning",
  // how the content is to be read
  "content-encoding",
  "content-language",
  "content-location",
  "content-range",
  "content-type",
]);

/** Whether a trailer field of this name (lower case) may pass. Names with `_` may be read as another name behind us. */
export function isTrailerAllowed(name: string): boolean {
  if (FORBIDDEN_TRAILERS.has(name) || name.includes("_")) return false;
  return !UNTRUSTED_PREFIXES.some(({ prefix }) => name.startsWith(prefix));
}
