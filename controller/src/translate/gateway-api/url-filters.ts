/** RequestRedirect and URLRewrite: both give a request another host and path. */
import type { PathEdit, Policy } from "@sallyport/model/policy";
import { fail, ok, type Result } from "@sallyport/model/result";
import type { HTTPRoutePathModifier } from "../../kube/generated/types/http-route.ts";
import type { Flaw } from "../flaw.ts";
import { refuseEmpty, refuseFilter, toUnsupported, type TranslateFilter } from "./filter-outcome.ts";

type RedirectPolicy = Extract<Policy, { kind: "redirect" }>;

const SCHEMES: ReadonlySet<string> = new Set(["http", "https"]);
const STATUSES: ReadonlySet<number> = new Set<RedirectPolicy["status"]>([301, 302, 303, 307, 308]);

/** RequestRedirect to a redirect policy. */
export const translateRedirect: TranslateFilter = (_, { requestRedirect }, place) => {
  if (requestRedirect === undefined) return refuseEmpty(place, "requestRedirect");
  const { scheme, hostname, port, path, statusCode } = requestRedirect;
  const where = `${place.path}.requestRedirect`;
  const edit = translatePathEdit(path, `${where}.path`, place.hasPrefix);
  if (!edit.ok) return refuseFilter(edit.error);
  if (scheme !== undefined && !SCHEMES.has(scheme)) {
    return refuseFilter(toUnsupported(`${where}.scheme`, `the scheme ${scheme} is not known`));
  }
  if (!STATUSES.has(statusCode)) {
    return refuseFilter(toUnsupported(`${where}.statusCode`, `the status ${statusCode} is no redirect`));
  }
  return {
    policy: {
      kind: "redirect",
      ...(scheme === undefined ? {} : { scheme }),
      ...(hostname === undefined ? {} : { hostname }),
      ...(port === undefined ? {} : { port }),
      ...edit.value,
      status: statusCode,
    },
  };
};

/** URLRewrite to a rewrite policy. */
export const translateRewrite: TranslateFilter = (_, { urlRewrite }, place) => {
  if (urlRewrite === undefined) return refuseEmpty(place, "urlRewrite");
  const { hostname, path } = urlRewrite;
  const edit = translatePathEdit(path, `${place.path}.urlRewrite.path`, place.hasPrefix);
  if (!edit.ok) return refuseFilter(edit.error);
  return { policy: { kind: "rewrite", ...(hostname === undefined ? {} : { hostname }), ...edit.value } };
};

/** The field `path` of a policy: absent where the filter has none. */
type PathField = { readonly path?: PathEdit };

function translatePathEdit(
  modifier: HTTPRoutePathModifier | undefined,
  path: string,
  hasPrefix: boolean,
): Result<PathField, Flaw> {
  if (modifier === undefined) return ok({});
  switch (modifier.type) {
    case "ReplaceFullPath":
      return checkPath("full", modifier.replaceFullPath ?? "/", `${path}.replaceFullPath`);
    case "ReplacePrefixMatch":
      if (!hasPrefix) {
        const message = "ReplacePrefixMatch needs a rule whose matches are all of type PathPrefix";
        return fail(toUnsupported(`${path}.type`, message));
      }
      return checkPath("prefix", modifier.replacePrefixMatch ?? "/", `${path}.replacePrefixMatch`);
    default:
      return fail(toUnsupported(`${path}.type`, `the path modifier type ${String(modifier.type)} is not known`));
  }
}

/** A new path goes into a request line or a Location: RFC 3986 characters only, absolute unless it is an empty prefix. */
function checkPath(kind: PathEdit["kind"], value: string, path: string): Result<PathField, Flaw> {
  const isAbsolute = value.startsWith("/") || (kind === "prefix" && value === "");
  if (isAbsolute && /^[!$%&'()*+,./0-9:;=@A-Z_a-z~-]*$/.test(value)) return ok({ path: { kind, value } });
  const message = `${JSON.stringify(value)} is not an absolute path`;
  return fail(toUnsupported(path, message, "begin it with a slash and percent-encode other characters"));
}
