/** Pages that answers are replaced by. They stand beside rules, not in them: one page may be that of thousands. */
import { Type, type Static } from "typebox";

/** The body of an error page; `key` is `kind/namespace/name/index` of the policy it comes from and its place there. */
export const Page = Type.Object({
  kind: Type.Literal("page"),
  key: Type.String(),
  /** Media type. */
  contentType: Type.String(),
  /** `%STATUS%`, `%REASON%` and `%REQUEST_ID%` stand for those of the answer, escaped for what the content type is. */
  text: Type.String(),
});
/** The body of an error page. */
export type Page = Static<typeof Page>;
