/** The regular expressions of matches: RE2 syntax, so that a match costs linear time whatever the user wrote. */
import { RE2JS } from "re2js";

/**
 * Why a pattern cannot be used, or undefined where it can. A good pattern compiles alone and inside `^(?:...)$`: neither an
 * unclosed quote nor a stray parenthesis may reach around the anchors.
 */
export function findPatternFlaw(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    RE2JS.compile(`^(?:${pattern})$`);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message.replace(/^error parsing regexp: /, "");
  }
}
