/**
 * What the schemas of policies cannot say: whether names and values may stand in an HTTP message (RFC 9110 sections 5.1
 * and 5.5). Whoever translates user objects asks here, so that nothing that could split a message reaches a proxy.
 */
import type { HeaderValue, Policy } from "./policy.ts";
import type { Problem } from "./problem.ts";

/** Every flaw of a policy; `path` is where it stands in the user's object. */
export function checkPolicy(policy: Policy, path: string): Problem[] {
  switch (policy.kind) {
    case "request-headers":
    case "response-headers":
      return [
        ...checkFields(policy.set, `${path}.set`),
        ...checkFields(policy.add, `${path}.add`),
        ...checkNames(policy.remove, `${path}.remove`),
        ...policy.remove.flatMap((name, index) => checkReserved(name, `${path}.remove[${index}]`)),
      ];
    case "cors":
      return [
        ...checkNames(policy.allowMethods, `${path}.allowMethods`),
        ...checkNames(policy.allowHeaders, `${path}.allowHeaders`),
        ...checkNames(policy.exposeHeaders, `${path}.exposeHeaders`),
      ];
    case "redirect":
    case "rewrite":
      return checkHost(policy.hostname, `${path}.hostname`);
    case "response-override":
      return policy.overrides.flatMap(({ headers }, index) =>
        checkFields(headers, `${path}.overrides[${index}].headers`),
      );
    case "mirror":
    case "fault":
    case "compression":
    case "request-body":
      return [];
  }
}

/** Whether the text is a field name, method or other token (RFC 9110 section 5.6.2). */
function isToken(text: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(text);
}

/** Whether the text may be a field value: no control characters but the tab, no white space at its ends. */
export function isFieldValue(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  return !/[\u0000-\u0008\u000a-\u001f\u007f]/.test(text) && text.trim() === text;
}

/** Fields that belong to the connection, or that a rewrite of the URL sets; a header policy cannot touch them. */
const RESERVED: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function checkFields(fields: readonly HeaderValue[], path: string): Problem[] {
  return fields.flatMap(({ name, value }, index) => [
    ...checkName(name, `${path}[${index}].name`),
    ...checkReserved(name, `${path}[${index}].name`),
    ...(isFieldValue(value)
      ? []
      : [
          toFlaw(
            `${JSON.stringify(value)} cannot be the value of a header`,
            `${path}[${index}].value`,
            "remove control characters, and white space at the ends",
          ),
        ]),
  ]);
}

function checkNames(names: readonly string[], path: string): Problem[] {
  return names.flatMap((name, index) => checkName(name, `${path}[${index}]`));
}

function checkName(name: string, path: string): Problem[] {
  if (isToken(name)) return [];
  return [toFlaw(`${JSON.stringify(name)} is not a valid name`, path, "use letters, digits and - only")];
}

function checkReserved(name: string, path: string): Problem[] {
  const lower = name.toLowerCase();
  if (!RESERVED.has(lower)) return [];
  const hint = lower === "host" ? "rewrite the hostname to change Host" : "the proxy writes it itself";
  return [toFlaw(`the header ${name} cannot be changed by a header policy`, path, hint)];
}

function checkHost(hostname: string | undefined, path: string): Problem[] {
  if (hostname === undefined || /^[a-z0-9._-]+$|^\[[0-9a-f:.]+\]$/i.test(hostname)) return [];
  return [toFlaw(`${JSON.stringify(hostname)} is not a host name`, path, "use a name without scheme, port or path")];
}

function toFlaw(message: string, path: string, hint: string): Problem {
  return { code: "invalid-value", severity: "error", message, path, hint };
}
